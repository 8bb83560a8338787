"""One seeded bug for a mutation gate."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One bug.

    Attributes:
        name: in words.
        module: below `beaconfire`.
        changes: (text, text in its place).
        missed: why it is not found; empty if it must be.
    """

    name: str
    module: str
    changes: tuple[tuple[str, str], ...]
    missed: str = ""


def one(name: str, module: str, old: str, new: str, missed: str = "") -> Mutant:
    return Mutant(name, module, ((old, new),), missed)
