"""Which faults an installation is put through, and in what order: `adapters.ordeal` does them."""

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Final, NamedTuple

import msgspec

from beaconfire.adapters.configuration import read_config, write_config
from beaconfire.adapters.installation import Installation
from beaconfire.messages.words import LINK_SCHEMA, LINK_SCHEMA_BEFORE

ROLES: Final = frozenset({"hub", "guard", "picture"})
"""What carries a report from one nation to another."""
EVERY_ROLE: Final = ROLES | {"national", "warning", "display"}
"""All that keep a journal."""
CLOCKS_OFF_S: Final = (86_400.0, -86_400.0, 3_600.0, -3_600.0, 5.0, -5.0)
"""Days, hours, and more than a report's clock may be ahead."""


class Fault(NamedTuple):
    """One fault: what is done to which process or link.

    Attributes:
        kind: "kill", "pause", "partition", "slow", "restart" (asked to end), "schema N" (the same, to speak
            another link schema afterwards), "kill N times", each as soon as it is back, or "clock N s" (its
            clock is off by so much for a while).
        place: a process such as "hub/HUB-1", or an end such as "KOR".
    """

    kind: str
    place: str

    @property
    def hits(self) -> str:
        """The end that is hit."""
        return self.place.split("/")[1] if "/" in self.place else self.place


def faults_for(installation: Installation, count: int, first: int = 0) -> Iterator[Fault]:
    """Yield faults in turn, from the first asked for: every kind on every process, server and link.

    The first eight hit the main ones.
    """
    hubs, nations = installation.hubs, installation.nations
    main = [
        *(Fault("kill", f"hub/{hubs[0]}"), Fault("kill", f"server/{hubs[-1]}")),
        *(Fault("kill", f"guard/{nations[0]}"), Fault("kill", f"picture/{nations[1]}")),
        *(Fault("pause", f"hub/{hubs[-1]}"), Fault("partition", hubs[0])),
        *(Fault("partition", nations[-1]), Fault("slow", nations[0])),
    ]
    processes = [f"{kind}/{hub}" for hub in hubs for kind in ("hub", "server")]
    processes += [f"{kind}/{nation}" for nation in nations for kind in ("guard", "picture", "server")]
    every = [Fault(kind, one) for one in processes for kind in ("kill", "pause")]
    every += [Fault(kind, end) for end in (*hubs, *nations) for kind in ("partition", "slow")]
    turn = cycle([*main, *(one for one in every if one not in main)])
    return islice(turn, first, first + count)


def restarts_for(installation: Installation, count: int, roles: frozenset[str] = EVERY_ROLE) -> list[Fault]:
    """Return one fault for each server and process of these roles: it is killed so often in a row."""
    processes = [one.name for one in installation.processes if one.role.value in roles]
    servers = [one.name for one in installation.servers]
    return [Fault(f"kill {count} times", place) for place in (*processes, *servers)]


def clocks_for(installation: Installation, count: int, first: int = 0) -> Iterator[Fault]:
    """Yield wrong clocks in turn, from the first asked for: of each instance of the hub and each guard.

    A picture whose clock is wrong refuses what it is given for as long, which is its due and no fault here.
    """
    hubs = [f"hub/{hub}" for hub in installation.hubs]
    guards = [f"guard/{nation}" for nation in installation.nations]
    places = [hubs[0], guards[0], *hubs[1:], *guards[1:]]
    every = [Fault(f"clock {off_s:+g} s", place) for off_s in CLOCKS_OFF_S for place in places]
    return islice(cycle(every), first, first + count)


def upgrade_of(installation: Installation) -> list[Fault]:
    """Return how an installation held at the schema before is upgraded while it works, and half of it back.

    Hub instances in turn, servers too, then the nations one by one, each with its display first: that is
    whom its other nodes tell things without asking what it reads. One nation stays behind. Then one instance
    and one nation go back.
    """
    hubs, (first, second, *_) = installation.hubs, installation.nations
    up, back = f"schema {LINK_SCHEMA}", f"schema {LINK_SCHEMA_BEFORE}"
    return [
        *(Fault("restart", f"server/{hub}") for hub in hubs),
        *(Fault(up, f"{role}/{hub}") for hub in hubs for role in ("display", "hub")),
        *(
            Fault(up, f"{role}/{nation}")
            for nation in (first, second)
            for role in ("display", "guard", "picture")
        ),
        Fault(back, f"hub/{hubs[0]}"),
        Fault(back, f"picture/{second}"),
    ]


def hold_back(installation: Installation) -> None:
    """Hold every process of an installation that was not started yet at the schema before."""
    for entry in installation.processes:
        config = read_config(entry.config).config
        write_config(entry.config, msgspec.structs.replace(config, schema=LINK_SCHEMA_BEFORE))
