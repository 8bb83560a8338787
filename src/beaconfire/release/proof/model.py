"""The problem: one symbolic request, every rule of an arrangement over it, and a request found, in words.

The request is any that `release.cedar` could make: any two nations among the parties, those the rules name
and two others; any label; any group, mode and age. Rules only compare names, so two nations and two
restrictions that nobody named stand for all others.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import z3

from beaconfire.messages.arrangement import Bundle, Flow, KeyClass, PublicKey
from beaconfire.messages.words import Group, Lane, Level, Mode, Nation
from beaconfire.release.proof.translate import Codes, Outcome, Variables, translate
from beaconfire.release.proof.values import TRUE, Kind, Term, Value, all_of, any_of
from beaconfire.release.rules import Rule

OTHERS: Final = ("XAA", "XBB")
"""Two nations that are nobody: codes of ISO 3166-1 that are left to users and never assigned."""
OTHER_RESTRICTIONS: Final = ("RESTRICTION-A", "RESTRICTION-B")
ORCON: Final = "ORCON"
AGE_S_MAX: Final = 2_592_001


class Terms(msgspec.Struct, frozen=True):
    """What of an arrangement is proved: a bundle's terms, or a template's, which has no keys yet.

    Attributes:
        arrangement: id.
        version: of it.
        parties: bound by it.
        required_signers: who must sign.
        flows: the most that may pass.
        degradable: groups the hub may replace.
        policies: Cedar text.
        key_class: of its keys; None of a template.
        keys: of the parties and the hub; none of a template.
    """

    arrangement: str
    version: int
    parties: tuple[Nation, ...]
    required_signers: tuple[Nation, ...]
    flows: tuple[Flow, ...]
    degradable: tuple[Group, ...]
    policies: str
    key_class: KeyClass | None = None
    keys: tuple[PublicKey, ...] = ()


class Symbols(msgspec.Struct, frozen=True):
    """The symbolic request.

    Attributes:
        codes: of every name.
        parties: names a party or an originator can have.
        marks: names a restriction can have.
        principal: code of the recipient.
        originator: code of the originator's name.
        group: code of the group's name.
        mode: code of the mode's name.
        level: 0 to 3.
        age_s: seconds.
        lane: code of the lane's name.
        speaks_of_lanes: whether any rule looks at the lane.
        releasable: by party, whether the label names it.
        restricted: by restriction, whether the label bears it.
    """

    codes: Codes
    parties: tuple[str, ...]
    marks: tuple[str, ...]
    principal: Term
    originator: Term
    group: Term
    mode: Term
    level: Term
    age_s: Term
    lane: Term
    speaks_of_lanes: bool
    releasable: dict[str, Term]
    restricted: dict[str, Term]

    def receives(self, nation: str) -> Term:
        """Return when a nation is the recipient."""
        return self.principal == self.codes.entity("Party", nation).term

    def gives(self, nation: str) -> Term:
        """Return when a nation is the originator."""
        return self.originator == self.codes.text(nation).term

    def between(self, originator: str, recipient: str) -> Term:
        """Return when a report of one would go to the other."""
        return z3.And(self.gives(originator), self.receives(recipient))

    def is_group(self, groups: Iterable[str]) -> Term:
        """Return when the group is one of these."""
        return any_of(self.group == self.codes.text(group).term for group in groups)

    def is_mode(self, modes: Iterable[str]) -> Term:
        """Return when the mode is one of these."""
        return any_of(self.mode == self.codes.text(mode).term for mode in modes)

    def is_lane(self, lane: str) -> Term:
        """Return when it would go on a lane."""
        return self.lane == self.codes.text(lane).term

    def is_named(self) -> Term:
        """Return when the label names the recipient."""
        return any_of(z3.And(self.receives(name), held) for name, held in self.releasable.items())


def symbols_for(terms: Sequence[Terms], rules: Sequence[Rule]) -> Symbols:
    """Return a symbolic request over every name that arrangements and their rules know."""
    codes = Codes()
    texts = [text for rule in rules for text in _texts(rule.policy)]
    named: list[str] = [party for one in terms for party in one.parties]
    named += [name for one in terms for flow in one.flows for name in (flow.originator, flow.recipient)]
    named += [text for text in texts if len(text) == 3 and text.isupper()]
    parties = tuple(dict.fromkeys([*named, *OTHERS]))
    restrictions = tuple(dict.fromkeys([ORCON, *OTHER_RESTRICTIONS, *texts]))
    for name in (*parties, *restrictions, *Group, *Mode, *Lane):
        codes.text(str(name))
    for party in parties:
        codes.entity("Party", party)
    return Symbols(
        codes=codes,
        parties=parties,
        marks=restrictions,
        principal=z3.Int("principal"),
        originator=z3.Int("originator"),
        group=z3.Int("group"),
        mode=z3.Int("mode"),
        level=z3.Int("level"),
        age_s=z3.Int("age_s"),
        lane=z3.Int("lane"),
        speaks_of_lanes=any(_asks_for_lane(rule.policy) for rule in rules),
        releasable={party: z3.Bool(f"releasable to {party}") for party in parties},
        restricted={mark: z3.Bool(f"restricted {mark}") for mark in restrictions},
    )


def _texts(policy: Any) -> Iterable[str]:
    """Yield every text literal and every party in a rule."""
    if isinstance(policy, dict):
        if set(policy) == {"Value"} and isinstance(policy["Value"], str):
            yield policy["Value"]
        if policy.get("type") == "Party":
            yield policy["id"]
        for part in policy.values():
            yield from _texts(part)
    elif isinstance(policy, list):
        for part in policy:
            yield from _texts(part)


def _asks_for_lane(policy: Any) -> bool:
    if isinstance(policy, dict):
        return policy.get("attr") == "lane" or any(map(_asks_for_lane, policy.values()))
    return isinstance(policy, list) and any(map(_asks_for_lane, policy))


def well_formed(symbols: Symbols) -> Term:
    """Return what holds of every request that a decider can be asked."""
    within = symbols
    return all_of(
        [
            any_of(within.receives(name) for name in within.parties),
            any_of(within.gives(name) for name in within.parties),
            within.is_group(Group),
            within.is_mode(Mode),
            any_of(within.is_lane(lane) for lane in Lane),
            within.level >= min(Level),
            within.level <= max(Level),
            within.age_s >= 1,
            within.age_s <= AGE_S_MAX,
        ]
    )


def variables(symbols: Symbols) -> Variables:
    """Return the symbolic request as rules see it: what `release.cedar` puts into each request."""
    codes = symbols.codes
    parties = [(held, codes.entity("Party", name)) for name, held in symbols.releasable.items()]
    marks = [(held, codes.text(name)) for name, held in symbols.restricted.items()]
    return Variables(
        principal=Value(Kind.ENTITY, symbols.principal),
        action=codes.entity("Action", "release"),
        resource=codes.entity("Report", "report"),
        kinds={"principal": "Party", "action": "Action", "resource": "Report"},
        context={
            "originator": Value(Kind.TEXT, symbols.originator),
            "group": Value(Kind.TEXT, symbols.group),
            "mode": Value(Kind.TEXT, symbols.mode),
            "level": Value(Kind.INTEGER, symbols.level),
            "releasable_to": Value(Kind.SET, members=tuple(parties)),
            "restrictions": Value(Kind.SET, members=tuple(marks)),
            "age_s": Value(Kind.INTEGER, symbols.age_s),
            "lane": Value(Kind.TEXT, symbols.lane),
        },
    )


class Model(msgspec.Struct, frozen=True):
    """An arrangement over one symbolic request.

    Attributes:
        terms: of the arrangement.
        symbols: the request.
        outcomes: of every rule.
    """

    terms: Terms
    symbols: Symbols
    outcomes: tuple[Outcome, ...]

    @property
    def permits(self) -> list[Outcome]:
        """The permits among the rules."""
        return [one for one in self.outcomes if one.rule.permits]

    @property
    def granted(self) -> Term:
        """When Cedar would allow it: a permit is satisfied and no forbid is."""
        forbids = [one.satisfied for one in self.outcomes if not one.rule.permits]
        return z3.And(any_of(one.satisfied for one in self.permits), z3.Not(any_of(forbids)))

    @property
    def fails(self) -> Term:
        """When any rule fails, which withholds the whole report."""
        return any_of(one.fails for one in self.outcomes)

    @property
    def dropped(self) -> Term:
        """When a permit's obligations take the group out, or have no meaning for it."""
        return any_of(z3.And(one.satisfied, self._drops(one.rule)) for one in self.permits)

    @property
    def released(self) -> Term:
        """When something of the group would pass: granted without failure, and not dropped."""
        return all_of([self.granted, z3.Not(self.fails), z3.Not(self.dropped)])

    def _drops(self, rule: Rule) -> Term:
        if rule.obligations is None:
            return TRUE
        useless = [group for group in Group if not rule.obligations.can_apply_to(group)]
        return TRUE if rule.obligations.drop else self.symbols.is_group(useless)

    def of(self, term: Term, group: Group) -> Term:
        """Return what a term says of another group of the same report."""
        return z3.substitute(term, (self.symbols.group, self.symbols.codes.text(group).term))

    @property
    def launch_is_hidden(self) -> Term:
        """When the launch point of the same report is withheld or coarsened."""
        coarsening = [
            one.rule for one in self.permits if one.rule.obligations and one.rule.obligations.grid_m
        ]
        coarse = self.of(self.permitted_by(coarsening), Group.LAUNCH_POINT)
        return z3.Or(z3.Not(self.of(self.released, Group.LAUNCH_POINT)), coarse)

    def delays(self, least_s: float) -> Term:
        """Return when the same report would be kept for at least so long, for whichever of its groups."""
        late = [one.rule for one in self.permits if _delay_s(one.rule) >= least_s]
        demanded = z3.And(self.granted, self.permitted_by(late))
        return any_of(self.of(demanded, group) for group in Group)

    def permitted_by(self, rules: Iterable[Rule]) -> Term:
        """Return when one of these rules, all permits, is satisfied."""
        names = {rule.name for rule in rules}
        return any_of(one.satisfied for one in self.permits if one.rule.name in names)

    def flow(self, originator: str, recipient: str) -> Flow | None:
        """Return the most that may pass between two, or None."""
        pair = (originator, recipient)
        return next((one for one in self.terms.flows if (one.originator, one.recipient) == pair), None)


def _delay_s(rule: Rule) -> float:
    return rule.obligations.delay_s if rule.obligations is not None else 0.0


def model_of(terms: Terms, rules: Sequence[Rule], symbols: Symbols | None = None) -> Model:
    """Return an arrangement over a symbolic request (a new one if none is given).

    Raises:
        OutsideFragment: a rule uses something the proof can't follow.
    """
    request = symbols or symbols_for([terms], rules)
    given = variables(request)
    return Model(terms, request, tuple(translate(rule, request.codes, given) for rule in rules))


def terms_of(bundle: Bundle) -> Terms:
    """Return what of a bundle is proved; a bundle without keys is a template."""
    return Terms(
        arrangement=bundle.arrangement,
        version=bundle.version,
        parties=bundle.parties,
        required_signers=bundle.required_signers,
        flows=bundle.flows,
        degradable=bundle.degradable,
        policies=bundle.policies,
        key_class=bundle.key_class if bundle.keys else None,
        keys=bundle.keys,
    )
