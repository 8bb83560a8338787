"""The build hook: when the page is kept, when it is made, what it refuses."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def hook(root: Path) -> ModuleType:
    pytest.importorskip("hatchling")
    spec = importlib.util.spec_from_file_location("hatch_build", root / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(hook: ModuleType, tmp_path: Path) -> Path:
    (tmp_path / "web").mkdir()
    (tmp_path / hook.NOTICES).mkdir(parents=True)
    (tmp_path / hook.NOTICES / "en.ftl").write_text("gap = Messages are missing")
    (tmp_path / "web" / "package-lock.json").write_text('{"packages": {"": {"version": "1"}}}')
    page = tmp_path / hook.PAGE
    page.mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html>")
    (page / hook.STAMP).write_text(hook.sources_digest(tmp_path) + "\n")
    return tmp_path


def test_a_page_that_belongs_to_the_sources_is_kept(hook: ModuleType, tree: Path) -> None:
    assert hook.is_current(tree)
    (tree / "web" / "node_modules").mkdir()
    (tree / "web" / "node_modules" / "x.js").write_text("x")
    assert hook.is_current(tree)


@pytest.mark.parametrize("changed", ["web/new.ts", "src/beaconfire/alerting/notices/en.ftl"])
def test_any_changed_source_makes_it_anew(hook: ModuleType, tree: Path, changed: str) -> None:
    (tree / changed).write_text("")
    assert not hook.is_current(tree)


def test_without_index_html_there_is_no_page(hook: ModuleType, tree: Path) -> None:
    (tree / hook.PAGE / "index.html").unlink()
    assert not hook.is_current(tree)


@pytest.mark.parametrize(
    ("npm", "fault"),
    [
        ("import sys; sys.exit(3)", "npm install ended with status 3"),
        ("pass", "index.html: not there after the build"),
        (
            "import pathlib; pathlib.Path('package-lock.json').write_text('{\"packages\": {}}')",
            "npm would change it",
        ),
    ],
)
def test_a_build_that_fails_says_so(hook: ModuleType, tree: Path, npm: str, fault: str) -> None:
    (tree / hook.PAGE / "index.html").unlink()
    with pytest.raises(SystemExit, match=fault):
        hook.build_page(tree, [sys.executable, "-c", npm])


def test_the_lock_names_no_download_address(hook: ModuleType, root: Path) -> None:
    lock = (root / "web" / "package-lock.json").read_bytes()
    assert b'"resolved"' not in lock
    packages = hook.locked_packages(lock)
    assert all(integrity for path, (_, integrity) in packages.items() if path)
