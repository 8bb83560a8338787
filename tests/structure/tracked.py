"""What must not stand in any tracked file: paths of one machine, addresses of a registry, secrets."""

import re
import subprocess
from pathlib import Path
from typing import Final

FORBIDDEN: Final = {
    "path of one machine": re.compile(r"(?<![\w./~}])/(?:home|Users|root|work)/[\w.]"),
    "address of a registry": re.compile(
        r"files\.pythonhosted\.org|pypi\.org/simple|registry\.npmjs\.org|registry\.yarnpkg\.com"
        r"|^\s*(?:--)?(?:extra-)?index-url|\"resolved\": *\"http|find-links",
        re.MULTILINE,
    ),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bS[UAOCNX][A-Z2-7]{56}\b"),
    "access token": re.compile(r"\bgh[pousr]_\w{36}\b|\bAKIA[0-9A-Z]{16}\b|\bxox[bp]-\w{10,}"),
}

SCRIPTS_OF_RULES: Final = {"tests/structure/tracked.py", "tests/structure/test_tracked.py", "tools/lock"}
"""Files that name what they look for."""


def tracked_texts(root: Path) -> dict[str, str]:
    """Return every tracked text file of a checkout by its path; empty where there is no Git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False).stdout
    texts = {}
    for name in filter(None, listed.decode().split("\0")):
        path = root / name
        content = path.read_bytes() if path.is_file() else b"\0"
        if b"\0" not in content[:8_192]:
            texts[name] = content.decode(errors="replace")
    return texts


def forbidden_content(name: str, text: str) -> list[str]:
    """Find what must not be there: one line for each kind."""
    if name in SCRIPTS_OF_RULES:
        return []
    return [
        f"{name}:{text.count(chr(10), 0, found.start()) + 1} {kind}: {found.group()[:20]}"
        for kind, pattern in FORBIDDEN.items()
        if (found := pattern.search(text))
    ]
