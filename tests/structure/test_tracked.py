"""No tracked file holds a path of one machine, the address of a registry, or a secret."""

from pathlib import Path

import pytest

from structure.tracked import forbidden_content, tracked_texts


def test_tracked_files_hold_nothing_of_one_machine(root: Path) -> None:
    texts = tracked_texts(root)
    if not texts:
        pytest.skip("not a Git checkout")
    findings = [finding for name, text in texts.items() for finding in forbidden_content(name, text)]
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize(
    "text",
    [
        "cd /home/somebody/beaconfire",
        '"/root/.cache"',
        "--index-" + "url https://" + "example.org/simple",
        "https://files.pythonhosted.org/packages/x.whl",
        '"resolved": ' + '"https://example.org/x.tgz"',
        "-----BEGIN PRIVATE KEY-----",
        "seed SU" + "A" * 56,
        "AKIA" + "A" * 16,
    ],
)
def test_what_must_not_be_there_is_found(text: str) -> None:
    assert forbidden_content("docs/x.md", text)


@pytest.mark.parametrize("text", ["~/beaconfire", "https://example.org/home/page", "/tmp/x", "src/work/x"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert not forbidden_content("docs/x.md", text)
