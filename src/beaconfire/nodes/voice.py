"""What a node tells its own operators, and under which name: not a node, but what all of them share."""

from typing import Final

import msgspec

from beaconfire.messages.health import Arguments, Notice
from beaconfire.messages.words import Lane, Severity
from beaconfire.nodes.commands import Channel, Now, Send

ARGUMENT_CHARACTERS_MAX: Final = 200
"""Of one value: names come from partners and files, and may be of any length."""


class Said(msgspec.Struct, frozen=True):
    """A notice before it is known who gives it and when.

    `tests/browser/test_texts.py` holds the words of every language to what stands at each call: the code and
    the names of the arguments are written out there.

    Attributes:
        code: as in `Notice`.
        severity: as in `Notice`.
        text: the line in English, for logs and journals.
        arguments: the values that the words of this code need in any language; None if they need none.
    """

    code: str
    severity: Severity
    text: str
    arguments: Arguments | None = None


class Voice:
    """Gives notices in one node's name, to its own nation or instance and to nobody else."""

    def __init__(self, source: str, party: str) -> None:
        """Take who speaks.

        Args:
            source: the node's name, such as "guard/KOR".
            party: own nation, or instance of the hub.
        """
        self._source = source
        self._party = party

    def tell(self, said: Said, now: Now, lane: Lane = Lane.FLASH) -> Send:
        """Return the notice as a command."""
        return Send(Channel.NOTICE, self._party, lane, self.notice(said, now))

    def notice(self, said: Said, now: Now) -> Notice:
        """Return the notice; a value that is too long is cut."""
        return Notice(
            code=said.code,
            severity=said.severity,
            text=said.text,
            at_us=now.utc_us,
            source=self._source,
            arguments=_bounded(said.arguments) if said.arguments else None,
        )


def _bounded(arguments: Arguments) -> dict[str, str | int]:
    return {
        name: value[:ARGUMENT_CHARACTERS_MAX] if isinstance(value, str) else value
        for name, value in arguments.items()
    }
