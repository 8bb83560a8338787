"""What becomes of each field group of a report for one partner, and by which rule: the decision in words.

It asks the same decider as the guard and the hub and releases nothing.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from beaconfire.messages.arrangement import ArrangementTemplate, Bundle, KeyClass
from beaconfire.messages.label import Label
from beaconfire.messages.refusal import Withheld
from beaconfire.messages.report import Report
from beaconfire.messages.words import HUB, Group, Lane, Mode, Nation
from beaconfire.release.arrangements import Agreement, Arrangements
from beaconfire.release.cedar import CedarDecider
from beaconfire.release.content import GROUPS, content_of
from beaconfire.release.keys import SEED_BYTES, SigningKey
from beaconfire.release.label import rights_of
from beaconfire.release.obligations import Obligations
from beaconfire.release.ruling import Releaser, Ruling, rule_for
from beaconfire.release.sanitise import sanitise

FOREVER_US: Final = 2**62


class Fate(StrEnum):
    """What becomes of a group."""

    RELEASED = "released"
    COARSENED = "coarsened"
    WITHHELD = "withheld"


class Line(msgspec.Struct, frozen=True):
    """The fate of one group for one partner.

    Attributes:
        recipient: partner.
        group: which.
        fate: what becomes of it.
        words: how it is coarsened, or why it is withheld; empty if it passes as it is.
        rules: policies that decided; "label" or "flow" if these did.
    """

    recipient: str
    group: Group
    fate: Fate
    words: str
    rules: tuple[str, ...]


class Reader:
    """Answers for a set of arrangements, signed or not, what they would let pass.

    Attributes:
        agreements: asked about, all taken to be in force.
    """

    def __init__(self, bundles: Iterable[Bundle], mode: Mode) -> None:
        """Take the bundles; nothing is verified here, and nothing can be released with it.

        Raises:
            UsageError: policies that do not parse, or two bundles of one id.
        """
        self.agreements = tuple(
            Agreement(msgspec.structs.replace(one, valid_from_us=0, valid_until_us=FOREVER_US), f"draft {n}")
            for n, one in enumerate(bundles)
        )
        self._releaser = Releaser(
            decider=CedarDecider(self.agreements),
            arrangements=Arrangements(self.agreements),
            key=SigningKey(HUB, KeyClass.SIMULATION, bytes(SEED_BYTES)),
            secret=bytes(SEED_BYTES),
            mode=mode,
        )

    def ruling(self, label: Label, recipient: Nation, age_us: int, lane: Lane) -> Ruling | Withheld:
        """Return what the label and the policies let one partner have on a lane."""
        held = self._releaser.arrangements.between(label.originator, recipient, 1)
        return rule_for(self._releaser, label, recipient, held, age_us=age_us, lane=lane)

    def lines(self, label: Label, recipient: Nation, age_us: int) -> tuple[Line, ...]:
        """Return the fate of every group for one partner, on both lanes."""
        return _of_both_lanes([self._lines(label, recipient, age_us, lane) for lane in Lane])

    def _lines(self, label: Label, recipient: Nation, age_us: int, lane: Lane) -> tuple[Line, ...]:
        ruling = self.ruling(label, recipient, age_us, lane)
        if isinstance(ruling, Withheld):
            words = f"{ruling.reason}: {ruling.detail}" if ruling.detail else str(ruling.reason)
            rules = (ruling.rule,) if ruling.rule else ()
            return tuple(Line(recipient, group, Fate.WITHHELD, words, rules) for group in GROUPS)
        return tuple(self._line(label, recipient, ruling, group) for group in GROUPS)

    def lines_of(self, report: Report, label: Label, recipient: Nation, age_us: int) -> tuple[Line, ...]:
        """Return the fate of every group of one report for one partner, as it stands in its flight."""
        return _of_both_lanes(
            [
                tuple(
                    _as_it_stands(line, report, self.ruling(label, recipient, age_us, lane))
                    for line in self._lines(label, recipient, age_us, lane)
                )
                for lane in Lane
            ]
        )

    def _line(self, label: Label, recipient: Nation, ruling: Ruling, group: Group) -> Line:
        rules = ruling.rules.get(group, ())
        if recipient not in rights_of(label, group).releasable_to:
            return Line(recipient, group, Fate.WITHHELD, "the label keeps it", ("label",))
        if group not in ruling.groups:
            words = "a rule takes it out" if rules else "no rule permits it"
            return Line(recipient, group, Fate.WITHHELD, words, rules)
        if not self._is_listed(label.originator, recipient, group):
            words = "no flow lists it: the second check would withhold the whole report"
            return Line(recipient, group, Fate.WITHHELD, words, ("flow",))
        obligations = ruling.groups[group]
        if not obligations.can_apply_to(group):
            return Line(recipient, group, Fate.WITHHELD, "an obligation that does not fit it", rules)
        words = obligations_in_words(obligations, ruling.delay_s)
        return Line(recipient, group, Fate.COARSENED if words else Fate.RELEASED, words, rules)

    def _is_listed(self, originator: str, recipient: str, group: Group) -> bool:
        flows = (one.flow(originator, recipient) for one in self.agreements)
        return any(flow is not None and group in flow.groups for flow in flows)


def _of_both_lanes(lanes: Sequence[tuple[Line, ...]]) -> tuple[Line, ...]:
    """Return one fate of each group: where its lane makes a difference, both in words."""
    return tuple(_joined(*both) for both in zip(*lanes, strict=True))


def _joined(flash: Line, routine: Line) -> Line:
    if (flash.fate, flash.words) == (routine.fate, routine.words):
        return flash
    words = "; ".join(
        f"{lane}: {line.words or line.fate}" for lane, line in zip(Lane, (flash, routine), strict=True)
    )
    rules = tuple(dict.fromkeys((*flash.rules, *routine.rules)))
    withheld = flash.fate is routine.fate is Fate.WITHHELD
    fate = Fate.WITHHELD if withheld else Fate.COARSENED
    return Line(flash.recipient, flash.group, fate, words, rules)


def _as_it_stands(line: Line, report: Report, ruling: Ruling | Withheld) -> Line:
    """Return a fate in the light of what the report states and of where its object is."""
    if line.fate is Fate.WITHHELD or isinstance(ruling, Withheld):
        return line
    if content_of(report, line.group) is None:
        return msgspec.structs.replace(
            line, fate=Fate.WITHHELD, words="not stated by the originator", rules=()
        )
    obligations = ruling.groups[line.group]
    if sanitise(report, line.group, obligations, bytes(SEED_BYTES)).value is None:
        words = "the boost is not over" if obligations.coast_only else "nothing is left of it"
        return msgspec.structs.replace(line, fate=Fate.WITHHELD, words=words)
    words = obligations_in_words(msgspec.structs.replace(obligations, coast_only=False), ruling.delay_s)
    return msgspec.structs.replace(line, fate=Fate.COARSENED if words else Fate.RELEASED, words=words)


def obligations_in_words(obligations: Obligations, delay_s: float = 0.0) -> str:
    """Return what obligations do, in plain words; empty if nothing.

    Args:
        obligations: of a group.
        delay_s: of the whole report, which waits for the longest that is demanded for any group.
    """
    parts = (
        f"to a {obligations.grid_m / 1_000:g} km grid" if obligations.grid_m else "",
        f"times to {obligations.round_time_s:g} s" if obligations.round_time_s else "",
        "after burnout only" if obligations.coast_only else "",
        "opaque names" if obligations.opaque_sensor else "",
        f"{delay_s:g} s late" if delay_s else "",
    )
    return ", ".join(part for part in parts if part)


def bundle_from(template: ArrangementTemplate, key_class: KeyClass = KeyClass.SIMULATION) -> Bundle:
    """Return a template as a bundle without keys that nobody can sign: for showing it only."""
    return Bundle(
        arrangement=template.arrangement,
        version=template.version,
        parties=template.parties,
        valid_from_us=0,
        valid_until_us=0,
        key_class=key_class,
        required_signers=template.required_signers,
        keys=(),
        flows=template.flows,
        degradable=template.degradable,
        policies=template.policies,
        lease_s=template.lease_s,
    )


def template_from(bundle: Bundle) -> ArrangementTemplate:
    """Return what of a bundle can be negotiated: all but keys, validity and who proposed it."""
    return ArrangementTemplate(
        arrangement=bundle.arrangement,
        version=bundle.version,
        parties=bundle.parties,
        required_signers=bundle.required_signers,
        flows=bundle.flows,
        degradable=bundle.degradable,
        policies=bundle.policies,
        lease_s=bundle.lease_s,
    )


def pairs_of(bundles: Sequence[Bundle]) -> tuple[tuple[Nation, Nation], ...]:
    """Return originator and recipient of every flow, each pair once."""
    return tuple(dict.fromkeys((f.originator, f.recipient) for one in bundles for f in one.flows))
