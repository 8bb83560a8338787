"""Known bad on purpose: exactly the lines that end in `# wrong` misuse the messages' types."""

from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.report import Provenance
from beaconfire.messages.words import Lane, Nation, Phase
from beaconfire.release.decide import Released


def send(released: Released[bytes]) -> None:
    """Take what a decision let pass and nothing else."""


def name(nation: Nation) -> str:
    """Take a nation."""
    return str(nation)


refusal = Withheld(Reason.EXPIRED)
name(Nation("JPN"))
name("JPN")  # wrong
send(b"report")  # wrong
send(refusal)  # wrong
refusal.reason = Reason.SCHEMA  # wrong
Provenance(own_sensors_only=True, transform="coast-batch", producer="beaconfire 0.1.0")
Provenance(own_sensors_only=False, transform="coast-batch", producer="beaconfire 0.1.0")  # wrong
lane: Lane = Phase.BOOST  # wrong
