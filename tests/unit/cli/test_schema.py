"""The verb writes what the documentation holds, and says so when it no longer does."""

from pathlib import Path

import pytest

from beaconfire.cli.main import main


def test_what_it_writes_is_in_the_documentation(tmp_path: Path, root: Path) -> None:
    assert main(["schema", "--out", str(tmp_path / "new")]) == 0
    written = {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()}
    documented = {path.name: path.read_bytes() for path in (root / "docs" / "schema").iterdir()}
    assert written == documented
    assert main(["schema", "--check", "--out", str(root / "docs" / "schema")]) == 0


@pytest.mark.parametrize("spoil", [lambda path: path.write_text("{}"), lambda path: path.unlink()])
def test_a_spoilt_file_is_named(spoil: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(spoil)
    main(["schema", "--out", str(tmp_path)])
    spoil(tmp_path / "message.json")
    assert main(["schema", "--check", "--out", str(tmp_path)]) == 1
    assert "message.json" in capsys.readouterr().out


def test_a_folder_that_is_a_file_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["schema", "--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
