"""Three nations, a hub, their keys and one report, for the tests of release, guard and hub."""

import hashlib
from collections.abc import Iterable

import msgspec

from beaconfire.adapters.bundles import make_agreements
from beaconfire.messages.arrangement import ArrangementTemplate, KeyClass
from beaconfire.messages.codec import Message, encode
from beaconfire.messages.detection import Plot
from beaconfire.messages.estimate import (
    Covariance,
    Ellipse,
    ImpactEstimate,
    Kinematics,
    LaunchEstimate,
)
from beaconfire.messages.report import Classification, Provenance, Report, SensorUse, Timing
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import HUB, Lane, Level, Mode, Nation, Phase, Sharing, Status
from beaconfire.nodes.commands import (
    Append,
    Channel,
    Command,
    Deliver,
    Forget,
    Inbound,
    Keep,
    Now,
    Send,
    Table,
)
from beaconfire.nodes.guard import GuardConfig, GuardNode
from beaconfire.nodes.hub import HubConfig, HubNode
from beaconfire.release.arrangements import ARRANGEMENTS_OF, Agreement, make_bundle, verify_bundle
from beaconfire.release.attest import sign_suspension
from beaconfire.release.keys import Keyring, SigningKey
from beaconfire.release.label import LabellingRules

T0_US = 1_664_835_785_000_000
USA, JPN, KOR = Nation("USA"), Nation("JPN"), Nation("KOR")
NATIONS = (JPN, KOR, USA)
FROM_US, UNTIL_US = T0_US - 10**9, T0_US + 10**12


def key_of(party: str, key_class: KeyClass = KeyClass.SIMULATION) -> SigningKey:
    return SigningKey(party, key_class, hashlib.sha256(f"{party}{key_class}".encode()).digest())


def keys_of(key_class: KeyClass = KeyClass.SIMULATION) -> dict[str, SigningKey]:
    return {party: key_of(party, key_class) for party in (*NATIONS, HUB)}


def suspension(
    party: str,
    number: int = 1,
    *,
    suspended: bool = True,
    final: bool = False,
    version: int = 0,
    arrangement: str = "trilateral",
    signer: str = "",
) -> Suspension:
    """Return a party's word on an arrangement, signed by it or by another."""
    blank = Suspension(party, arrangement, version, suspended, number, T0_US, "", b"", final)
    return sign_suspension(blank, key_of(signer or party))


def keyring() -> Keyring:
    return Keyring(KeyClass.SIMULATION, [key.public for key in keys_of().values()])


def agreements(sharing: Sharing = Sharing.TRILATERAL) -> tuple[Agreement, ...]:
    return make_agreements(
        keys_of(), ARRANGEMENTS_OF[sharing], valid_from_us=FROM_US, valid_until_us=UNTIL_US
    )


def agreement_with(policies: str, template: ArrangementTemplate) -> Agreement:
    """Return the template with other policies, properly signed."""
    changed = msgspec.structs.replace(template, policies=policies)
    signed = make_bundle(changed, list(keys_of().values()), valid_from_us=FROM_US, valid_until_us=UNTIL_US)
    return verify_bundle(signed, "test", now_us=T0_US, trusted=keyring())


def ellipse(latitude_rad: float = 0.70, longitude_rad: float = 2.2) -> Ellipse:
    return Ellipse(latitude_rad, longitude_rad, 4_000.0, 2_000.0, 0.3, 0.95)


def report(
    number: int = 1, originator: Nation = KOR, *, phase: Phase = Phase.COAST, at_us: int = T0_US
) -> Report:
    return Report(
        report_id=hashlib.sha256(f"{originator}{number}".encode()).hexdigest()[:32],
        track=f"{originator}-7F3A",
        supersedes=None,
        originator=originator,
        mode=Mode.SIMULATED,
        exercise="",
        stated_at_us=at_us,
        launch_point=LaunchEstimate(at_us - 100_000_000, 1.0, ellipse()),
        trajectory=Kinematics(at_us, (-3.1e6, 4.1e6, 3.9e6), (100.0 + number, 2_000.0, 900.0), -9.0, phase),
        covariance=Covariance((1.0,) * 28, -9.0, 0.5, process_noise=False),
        impact=(ImpactEstimate(1.0, at_us + 300_000_000, 3.0, ellipse(0.65, 2.4)),),
        timing=Timing(at_us - 90_000_000, at_us, at_us - 10_000_000 if phase is not Phase.BOOST else None),
        classification=Classification(Status.CONFIRMED, manoeuvring=False, thrust_possible=False),
        sensor=SensorUse((f"{originator.lower()}-1",), ("radar",), 11),
        raw_measurement=(Plot(f"{originator.lower()}-1", at_us, 812_345.6, 0.2, 0.4),),
        provenance=Provenance(own_sensors_only=True, transform="coast-batch", producer="beaconfire test"),
    )


def rules(nation: Nation) -> LabellingRules:
    return LabellingRules("notional", Level.RESTRICTED, frozenset(NATIONS) - {nation})


def now(after_us: int = 0) -> Now:
    return Now(utc_us=T0_US + after_us, monotonic_us=1_000_000 + after_us)


class MemoryRows:
    """A journal in memory: what a node's commands wrote."""

    def __init__(self) -> None:
        self.tables: dict[Table, dict[str, bytes]] = {table: {} for table in Table}
        self.logs: dict[str, list[bytes]] = {}

    def rows(self, table: Table) -> list[tuple[str, bytes]]:
        return list(self.tables[table].items())

    def log(self, name: str) -> list[bytes]:
        return list(self.logs.get(name, []))

    def commit(self, commands: Iterable[Command]) -> list[Command]:
        """Write what is to be written; return what is to be sent."""
        sent: list[Command] = []
        for command in commands:
            match command:
                case Keep(table=table, key=key, body=body):
                    self.tables[table][key] = body
                case Forget(table=table, key=key):
                    self.tables[table].pop(key, None)
                case Append(log=log, body=body):
                    self.logs.setdefault(log, []).append(body)
                case Send() | Deliver():
                    sent.append(command)
        return sent


def guard_config(nation: Nation = KOR, sharing: Sharing = Sharing.TRILATERAL) -> GuardConfig:
    return GuardConfig(
        nation=nation,
        mode=Mode.SIMULATED,
        exercise="",
        key=key_of(nation),
        keyring=keyring(),
        agreements=agreements(sharing),
        rules=rules(nation),
        secret=hashlib.sha256(b"salt" + nation.encode()).digest(),
    )


def hub_config(sharing: Sharing = Sharing.TRILATERAL) -> HubConfig:
    return HubConfig(
        parties=NATIONS,
        mode=Mode.SIMULATED,
        key=key_of(HUB),
        keyring=keyring(),
        agreements=agreements(sharing),
        secret=hashlib.sha256(b"opaque").digest(),
    )


def guard(nation: Nation = KOR, sharing: Sharing = Sharing.TRILATERAL) -> GuardNode:
    return GuardNode(guard_config(nation, sharing), MemoryRows())


def hub(sharing: Sharing = Sharing.TRILATERAL) -> HubNode:
    return HubNode(hub_config(sharing), MemoryRows())


def own(message: Message, nation: Nation = KOR) -> Inbound:
    return Inbound(Channel.OWN_REPORT, nation, Lane.FLASH, message, len(encode(message)))


def to_hub(message: Message, sender: str = KOR, lane: Lane = Lane.FLASH) -> Inbound:
    return Inbound(Channel.TO_HUB, sender, lane, message, len(encode(message)))


def to_nation(message: Message, lane: Lane = Lane.FLASH, sender: str = HUB) -> Inbound:
    return Inbound(Channel.TO_NATION, sender, lane, message, len(encode(message)))
