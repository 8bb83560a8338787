"""Keys and arrangements that change in their files take effect on running nodes; nothing bad does.

Real guard and hubs from a real installation's files, with its keys. No process is started again but where
a test says so.
"""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from beaconfire.adapters.building import Looks, build_renewed
from beaconfire.adapters.bundles import shipped_templates
from beaconfire.adapters.clock import wall_now_us
from beaconfire.adapters.configuration import LoadedConfig, read_config
from beaconfire.adapters.installation import Installation, make_installation
from beaconfire.adapters.journal import Journal
from beaconfire.adapters.trust import PERIOD_US
from beaconfire.adapters.wiring import Role
from beaconfire.audit.record import Outcome, decode_record
from beaconfire.cli.campaign_faults import notional_report
from beaconfire.messages.arrangement import ArrangementTemplate, Bundle, KeyClass, TrustedKey
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.health import Notice
from beaconfire.messages.refusal import Reason
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Lane, Nation
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
)
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.release.arrangements import make_bundle
from beaconfire.release.keys import SigningKey

JPN, KOR, USA = NATIONS = (Nation("JPN"), Nation("KOR"), Nation("USA"))
ALL = {"bilateral-usa-jpn": 1, "bilateral-usa-kor": 1, "trilateral": 1}


class Process:
    """A node as a process runs it: its journal, and the files that it looks at before each tick."""

    def __init__(self, site: "Site", role: Role, party: str) -> None:
        self.site, self.role, self.party = site, role, party
        self.notices: list[tuple[str, str]] = []
        self.start()

    def loaded(self) -> LoadedConfig:
        made = self.site.made
        return next(
            read_config(one.config)
            for one in made.processes
            if (one.role, one.party) == (self.role, self.party)
        )

    def start(self) -> None:
        loaded = self.loaded()
        self.journal = Journal(loaded.file("journal"))
        node, looks = build_renewed(loaded, self.journal)
        assert isinstance(node, GuardNode | HubNode)
        assert looks is not None
        self.node: GuardNode | HubNode = node
        self.looks: Looks = looks

    def restart(self) -> None:
        self.journal.close()
        self.start()

    def done(self, commands: list[Command]) -> list[Command]:
        self.journal.commit([one for one in commands if isinstance(one, Append | Keep | Forget)])
        said = [one.message for one in commands if isinstance(one, Send)]
        self.notices += [(one.code, one.text) for one in said if isinstance(one, Notice)]
        return commands

    def tick(self) -> None:
        now = self.site.now()
        for party in (HUB, *NATIONS):
            self.node.arrangements.renew(party, now.monotonic_us)
        self.done([*self.looks(now), *self.node.tick(now)])

    def take(self, inbound: Inbound) -> list[Delivery]:
        commands = self.done(self.node.receive(inbound, self.site.now()))
        found = [decode(one.body) for one in commands if isinstance(one, Deliver)]
        return [one for one in found if isinstance(one, Delivery)]

    def held(self) -> dict[str, int]:
        return {one.bundle.arrangement: one.bundle.version for one in self.node.arrangements.agreements}

    def told(self, code: str) -> list[str]:
        return [text for one, text in self.notices if one == code]


class Site:
    """An installation: three guards and one instance of the hub that run, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.made: Installation = make_installation(folder, nations=NATIONS)
        self.began_us = wall_now_us()
        self.passed_us = 0
        self.number = 0
        self.keys = {
            party: self._key(party, folder / end)
            for party, end in ((HUB, "HUB-1"), *((nation, str(nation)) for nation in NATIONS))
        }
        stated = msgspec.json.decode((self.arrangements / "trilateral.bundle.json").read_bytes())
        bundle = msgspec.json.decode(stated["bundle"].encode(), type=Bundle)
        self.valid_us = (bundle.valid_from_us, bundle.valid_until_us)
        self.hub = Process(self, Role.HUB, "HUB-1")
        self.guards = {nation: Process(self, Role.GUARD, nation) for nation in NATIONS}

    @property
    def processes(self) -> list[Process]:
        return [self.hub, *self.guards.values()]

    def _key(self, party: str, folder: Path) -> SigningKey:
        seed = bytes.fromhex((folder / "keys" / "signing.hex").read_text().strip())
        return SigningKey(party, KeyClass.SIMULATION, seed)

    def now(self) -> Now:
        return Now(self.began_us + self.passed_us, 1_000_000 + self.passed_us)

    def wait(self, periods: int = 3) -> None:
        """Let everybody tick until changed files have been seen and have stood still."""
        for _ in range(periods):
            self.passed_us += PERIOD_US
            for one in self.processes:
                one.tick()

    def say(self, nation: Nation) -> set[str]:
        """Let a nation report something new; return whom the hub passes it on to."""
        self.number += 1
        self.passed_us += 1_000
        report = notional_report(nation, self.number, self.now().utc_us)
        body = encode(report)
        given = self.guards[nation].take(Inbound(Channel.OWN_REPORT, nation, Lane.FLASH, report, len(body)))
        towards = [one for one in given if one.recipient == "HUB-1"]
        passed: set[str] = set()
        for one in towards:
            inbound = Inbound(Channel.TO_HUB, nation, one.lane, one, len(encode(one)))
            passed |= {delivery.recipient for delivery in self.hub.take(inbound)}
        return passed

    @property
    def arrangements(self) -> Path:
        return self.made.directory / "arrangements"

    @property
    def keyring(self) -> Path:
        return self.made.directory / "keyring.json"

    def write_keyring(self, *keys: TrustedKey) -> None:
        """Write the keyring with these in the place of those of the same public half, or beside all."""
        held = {
            key.public.public: TrustedKey(key.party, key.public.key_class, key.public.public)
            for key in self.keys.values()
        }
        held |= {one.public: one for one in keys}
        self.keyring.write_bytes(msgspec.json.encode(list(held.values())))

    def bundle(
        self,
        name: str = "trilateral",
        version: int = 2,
        change: Callable[[ArrangementTemplate], ArrangementTemplate] = lambda one: one,
        without: Nation | None = None,
    ) -> bytes:
        template = msgspec.structs.replace(change(shipped_templates()[name]), version=version)
        signed = make_bundle(
            template,
            list(self.keys.values()),
            valid_from_us=self.valid_us[0],
            valid_until_us=self.valid_us[1],
        )
        if without is not None:
            marks = tuple(one for one in signed.signatures if one.party != without)
            signed = msgspec.structs.replace(signed, signatures=marks)
        return msgspec.json.encode(signed)

    def write(self, text: bytes, name: str = "trilateral") -> None:
        (self.arrangements / f"{name}.bundle.json").write_bytes(text)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path / "here")
    made.wait(1)
    assert made.say(KOR) == {JPN, USA}
    assert made.say(JPN) == {KOR, USA}
    return made


Change = Callable[[ArrangementTemplate], ArrangementTemplate]


def revoked(key: SigningKey) -> TrustedKey:
    return TrustedKey(key.party, key.public.key_class, key.public.public, 1)


def without_flow(
    originator: Nation, recipient: Nation
) -> Callable[[ArrangementTemplate], ArrangementTemplate]:
    def change(template: ArrangementTemplate) -> ArrangementTemplate:
        flows = tuple(f for f in template.flows if (f.originator, f.recipient) != (originator, recipient))
        return msgspec.structs.replace(template, flows=flows)

    return change


# What is good takes effect.


def test_a_revoked_key_stops_what_rests_on_it_at_once_and_nothing_else(site: Site) -> None:
    site.write_keyring(revoked(site.keys[KOR]))
    site.wait()
    for one in site.processes:
        assert one.held() == {"bilateral-usa-jpn": 1}
        assert len(one.told("arrangement-gone")) == 2
    assert site.say(KOR) == set()
    assert site.say(JPN) == {USA}
    assert site.say(USA) == {JPN}


def test_what_a_thief_seals_is_refused_by_a_hub_that_was_not_started_again(site: Site) -> None:
    """A guard that was not told, as a thief's would not be."""
    site.write_keyring(revoked(site.keys[KOR]))
    for _ in range(3):
        site.passed_us += PERIOD_US
        site.hub.tick()
    assert site.say(KOR) == set()
    records = [decode_record(body) for body in site.hub.journal.log("gave/KOR")]
    refused = [one for one in records if one.outcome is Outcome.REFUSED]
    assert [(one.reason, one.detail) for one in refused] == [
        (Reason.UNKNOWN_KEY, f"revoked {site.keys[KOR].key_id}")
    ]


def test_a_new_key_takes_over_without_a_restart_of_any_partner(site: Site) -> None:
    old, new = site.keys[KOR], SigningKey(KOR, KeyClass.SIMULATION, bytes(range(32)))
    site.write_keyring(TrustedKey(KOR, KeyClass.SIMULATION, new.public.public))
    site.wait()
    site.keys[KOR] = new
    for name in ("bilateral-usa-kor", "trilateral"):
        site.write(site.bundle(name), name)
    site.wait()
    assert site.hub.held() == {"bilateral-usa-jpn": 1, "bilateral-usa-kor": 2, "trilateral": 2}
    assert site.say(KOR) == {JPN, USA}, "both keys verify"
    seed = site.made.directory / KOR / "keys" / "signing.hex"
    seed.write_text(bytes(range(32)).hex())
    site.guards[KOR].restart()
    site.write_keyring(revoked(old))
    site.wait()
    assert site.say(KOR) == {JPN, USA}
    assert not site.hub.told("arrangement-gone")


def test_the_next_version_takes_effect_at_guard_and_hub(site: Site) -> None:
    site.write(site.bundle(change=without_flow(KOR, JPN)))
    site.wait()
    assert site.hub.held() == site.guards[KOR].held() == ALL | {"trilateral": 2}
    assert site.say(KOR) == {USA}
    assert site.say(JPN) == {KOR, USA}
    assert "trilateral version 2" in site.hub.told("trust-renewed")[-1]


def test_a_suspension_stays_across_the_next_version(site: Site) -> None:
    site.hub.node.arrangements.suspend(JPN, "trilateral", number=1, suspended=True)
    site.write(site.bundle())
    site.wait()
    assert site.hub.held()["trilateral"] == 2
    assert site.say(KOR) == {USA}


def test_a_file_taken_away_takes_its_arrangement_with_it(site: Site) -> None:
    (site.arrangements / "trilateral.bundle.json").unlink()
    site.wait()
    assert "trilateral" not in site.hub.held()
    assert site.say(KOR) == {USA}
    for one in site.arrangements.iterdir():
        one.unlink()
    site.wait()
    assert site.hub.held() == {}
    assert site.say(KOR) == set()


def test_nothing_is_read_before_files_have_stood_still(site: Site) -> None:
    site.write(site.bundle())
    site.wait(1)
    assert site.hub.held() == ALL, "seen, and perhaps still being written"
    site.wait(1)
    assert site.hub.held()["trilateral"] == 2
    told = len(site.hub.told("trust-renewed"))
    site.wait(3)
    assert len(site.hub.told("trust-renewed")) == told, "looked at only once they change"


# What is bad leaves the old in force.


def altered(site: Site) -> bytes:
    return site.bundle().replace(b"10000", b"10001", 1)


def unsigned_by_one(site: Site) -> bytes:
    return site.bundle(without=JPN)


def cut_short(site: Site) -> bytes:
    return site.bundle()[:-200]


def with_a_strange_key(site: Site) -> bytes:
    kept = site.keys[KOR]
    site.keys[KOR] = SigningKey(KOR, KeyClass.SIMULATION, bytes(32))
    text = site.bundle()
    site.keys[KOR] = kept
    return text


def with_policies_that_do_not_parse(site: Site) -> bytes:
    return site.bundle(change=lambda one: msgspec.structs.replace(one, policies="permit (oops"))


def empty(_site: Site) -> bytes:
    return b""


@pytest.mark.parametrize(
    "text",
    [altered, unsigned_by_one, cut_short, with_a_strange_key, with_policies_that_do_not_parse, empty],
    ids=lambda one: one.__name__,
)
def test_a_bad_bundle_leaves_the_one_before_in_force_and_is_told_of(
    site: Site, text: Callable[[Site], bytes]
) -> None:
    site.write(text(site))
    site.wait()
    for one in (site.hub, site.guards[KOR]):
        assert one.held() == ALL
        assert any(
            "version 1 of trilateral stays in force" in said for said in one.told("arrangement-refused")
        )
    assert site.say(KOR) == {JPN, USA}
    site.hub.restart()
    site.wait(1)
    assert site.hub.held() == {"bilateral-usa-jpn": 1, "bilateral-usa-kor": 1}, "started with it: left out"
    assert site.say(KOR) == {USA}
    site.write(site.bundle())
    site.wait()
    assert site.say(KOR) == {JPN, USA}, "a good one is taken at any time"


def test_a_bad_bundle_does_not_keep_in_force_what_rests_on_a_revoked_key(site: Site) -> None:
    site.write_keyring(revoked(site.keys[KOR]))
    site.write(b"{}")
    site.wait()
    assert site.hub.held() == {"bilateral-usa-jpn": 1}


@pytest.mark.parametrize("restarted", [False, True])
def test_no_older_version_and_no_other_text_of_the_same_takes_the_place_of_one(
    site: Site, *, restarted: bool
) -> None:
    first = (site.arrangements / "trilateral.bundle.json").read_bytes()
    site.write(site.bundle(change=without_flow(KOR, JPN)))
    site.wait()
    for text in (first, site.bundle(version=2)):
        site.write(text)
        if restarted:
            site.hub.restart()
        site.wait()
        assert site.hub.told("arrangement-rollback")
        assert site.hub.held().get("trilateral") == (None if restarted else 2)
        assert site.say(KOR) == {USA}


@pytest.mark.parametrize(
    "text",
    [b"", b"[", b"{}", json.dumps([{"party": "KOR"}]).encode()],
    ids=["empty", "cut short", "no list", "no keys"],
)
def test_a_bad_keyring_leaves_the_one_before_trusted_and_is_told_of(site: Site, text: bytes) -> None:
    site.keyring.write_bytes(text)
    site.wait()
    assert site.hub.held() == ALL
    assert any("keys before stay trusted" in text for text in site.hub.told("arrangement-refused"))
    assert site.say(KOR) == {JPN, USA}
    site.write(site.bundle())
    site.wait()
    assert site.hub.held()["trilateral"] == 2, "arrangements go on being renewed"


def test_a_keyring_of_another_class_is_not_taken(site: Site) -> None:
    live = [TrustedKey(one.party, KeyClass.LIVE, one.public.public) for one in site.keys.values()]
    site.keyring.write_bytes(msgspec.json.encode(live))
    site.wait()
    assert site.hub.held() == ALL
    assert site.say(KOR) == {JPN, USA}


def test_what_was_revoked_once_stays_revoked_across_keyrings_and_restarts(site: Site) -> None:
    site.write_keyring(revoked(site.keys[KOR]))
    site.wait()
    site.write_keyring()
    site.wait()
    assert site.hub.told("keyring-rollback")
    assert site.hub.held() == {"bilateral-usa-jpn": 1}
    site.hub.notices.clear()
    site.hub.restart()
    site.wait(1)
    assert site.hub.told("keyring-rollback")
    assert site.hub.held() == {"bilateral-usa-jpn": 1}
    assert site.say(KOR) == set()


# A start with an arrangement that names a revoked key.


def test_guard_and_hub_start_beside_an_arrangement_under_a_revoked_key_and_release_nothing_under_it(
    site: Site,
) -> None:
    site.write_keyring(revoked(site.keys[KOR]))
    for one in site.processes:
        one.notices.clear()
        one.restart()
    site.wait(1)
    for one in site.processes:
        assert one.held() == {"bilateral-usa-jpn": 1}
        told = one.told("arrangement-refused")
        assert len(told) == 2
        assert all("nothing is released under it" in text for text in told)
    assert site.say(KOR) == set()
    assert site.say(USA) == {JPN}
    assert site.say(JPN) == {USA}
