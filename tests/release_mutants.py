"""Seeded bugs for the mutation gate: changes of source text, or of the policies that stories are given.

Every text must stand in its module exactly once, else the gate says that the mutant does not apply. `missed`
says why the campaign is not expected to find one; at most one in twenty may have such a reason.
"""

from mutant import Mutant
from mutant import one as _one
from release_mutants_waiting import WAITING

_PERMIT = 'f\'permit (principal == Party::"{grant.recipient}", action == Action::"release", resource)\\n\''
_MEMO = ("self._remembered.get(question)", "self._remembered[question] = known")


_BLANK = "releasable_to=frozenset(), restrictions=frozenset(), overrides=(), level=0"


def _memo(name: str, change: str) -> Mutant:
    """Return the bug that rulings are remembered by less than they depend on."""
    key = f"msgspec.structs.replace(question, {change})"
    return Mutant(
        name,
        "release.cedar",
        ((_MEMO[0], f"self._remembered.get({key})"), (_MEMO[1], f"self._remembered[{key}] = known")),
    )


POLICIES = (
    _one("permit for every party", "sim.pacts", _PERMIT, "'permit (principal, action, resource)\\n'"),
    _one(
        "permit whatever the originator",
        "sim.pacts",
        'context.originator == "{grant.originator}"',
        "true",
    ),
    _one("permit of everybody else's", "sim.pacts", 'context.originator == "', 'context.originator != "'),
    _one("permit whatever the level", "sim.pacts", "context.level <= {LEVEL_MAX}", "true"),
    _one("a level too high", "sim.pacts", "context.level <= {LEVEL_MAX}", "context.level <= 3"),
    _one("permit of every group", "sim.pacts", 'context.group == "{grant.group.value}"', "true"),
    _one("permit at any age", "sim.pacts", "context.age_s <= {FRESH_S}", "context.age_s >= 0"),
    _one("an age too old", "sim.pacts", "context.age_s <= {FRESH_S}", "context.age_s <= 600"),
    _one("no grid", "sim.pacts", "*([f'@grid(\"{demand.grid_km}\")'] if demand.grid_km else []),", ""),
    _one("a grid too fine", "sim.pacts", '@grid("{demand.grid_km}")', '@grid("1")'),
    _one("a grid misspelt", "sim.pacts", "@grid(", "@gird("),
    _one(
        "times not rounded",
        "sim.pacts",
        "*([f'@round_time(\"{demand.round_s}\")'] if demand.round_s else []),",
        "",
    ),
    _one("times rounded too finely", "sim.pacts", '@round_time("{demand.round_s}")', '@round_time("1")'),
    _one(
        "boost not truncated",
        "sim.pacts",
        "*(['@truncate_before(\"burnout\")'] if demand.coast else []),",
        "",
    ),
    _one(
        "truncated before something else",
        "sim.pacts",
        '@truncate_before("burnout")',
        '@truncate_before("apogee")',
    ),
    _one("no delay", "sim.pacts", '@delay("{grant.demand.delay_ms / 1_000}")', ""),
    _one(
        "a delay too short", "sim.pacts", "{grant.demand.delay_ms / 1_000}", "{grant.demand.delay_ms / 2e3}"
    ),
    _one("a delay of FLASH too", "sim.pacts", ' && context.lane == "ROUTINE"', ""),
    _one("sensors by name", "sim.pacts", "*(['@opaque_sensor(\"yes\")'] if demand.opaque else []),", ""),
    _one(
        "a forbid of groups left out",
        "sim.pacts",
        'f"when {{ [{listed}].contains(context.group) }};"',
        'f"when {{ false }};"',
    ),
    _one("a forbid of groups that errs", "sim.pacts", "].contains(context.group)", "].contains(context.grp)"),
    _one(
        "restrictions not looked at",
        "sim.pacts",
        "'unless { [\"ORCON\"].containsAll(context.restrictions) };'",
        "'when { false };'",
    ),
    _one(
        "a forbid turned round", "sim.pacts", '\'unless { ["ORCON"].contains', '\'when { ["ORCON"].contains'
    ),
    _one(
        "a delay nobody asked for",
        "sim.pacts",
        'f\'@id("{number}") {" ".join(marks)}\\n\'',
        'f\'@id("{number}") @delay("5") {" ".join(marks)}\\n\'',
    ),
    _one(
        "permit whether or not releasable to the party",
        "sim.pacts",
        " && context.releasable_to.contains(principal)",
        "",
        missed="the first judge asks the label itself before any policy, and the second over the bytes",
    ),
)

_IN_FORCE = "asked.releaser.arrangements.in_force(asked.opened.header.sent_at_us)"

DECIDING = (
    _one(
        "no closing behind a dropped launch point",
        "release.ruling",
        "if launch is None or launch.grid_m > 0.0:",
        "if launch is not None and launch.grid_m > 0.0:",
    ),
    _one(
        "no closing behind a coarse launch point",
        "release.ruling",
        "if launch is None or launch.grid_m > 0.0:",
        "if launch is None:",
    ),
    _one(
        "covariance of the boost left open",
        "release.ruling",
        "covariance.join(Obligations(coast_only=state.coast_only))",
        "covariance",
    ),
    _one(
        "covariance without its state granted",
        "release.ruling",
        "groups.pop(Group.COVARIANCE, None)",
        "groups.get(Group.COVARIANCE)",
    ),
    _one(
        "covariance without its state there",
        "release.sanitise",
        "if group is Group.COVARIANCE and report.trajectory is None:",
        "if False:",
    ),
    _one(
        "age not looked at by the hub",
        "release.choice",
        "age_us = self.now_us - header.valid_from_us",
        "age_us = 0",
    ),
    Mutant(
        "lane from what all others had",
        "release.choice",
        (
            ("trail.lane_of(self.recipient, self.track,", 'trail.lane_of("HUB", self.track,'),
            ("trail.passed(asked.recipient, asked.track,", 'trail.passed("HUB", asked.track,'),
        ),
    ),
    _one(
        "lane from what is withheld",
        "release.choice",
        "stage_of({group: left.value for group, left in contents.items()})",
        "stage_of({one: content_of(asked.opened.report, one) for one in Group})",
    ),
    Mutant(
        "trail shared by all recipients",
        "release.trail",
        (
            ("tracks = self._tracks.get(recipient)", 'tracks = self._tracks.get("")'),
            ("self._tracks.setdefault(recipient,", 'self._tracks.setdefault("",'),
        ),
    ),
    _one(
        "the newer superseded by the older",
        "release.trail",
        "return None if sent_at_us < known.sent_at_us",
        "return None if sent_at_us > known.sent_at_us",
    ),
    _one(
        "degraded groups sent whole",
        "release.decide",
        "chosen.contents.items() if one.transform}",
        "chosen.contents.items() if False}",
    ),
    _one(
        "basis names what else is in force",
        "release.decide",
        "degradations=degradations, basis=chosen.ruling.basis)",
        f"degradations=degradations, basis=tuple(a.bundle.arrangement for a in {_IN_FORCE}))",
    ),
    _one(
        "everything leaves the nation",
        "release.decide",
        "        if is_anything_left(report, group, obligations)\n    }",
        "    } | set(Group)",
    ),
    _one(
        "a report of nothing but its origin",
        "release.choice",
        'len(contents) < 2:\n        return Withheld(reason=Reason.NOTHING_LEFT, rule="sanitise")',
        'not contents:\n        return Withheld(reason=Reason.NOTHING_LEFT, rule="sanitise")',
    ),
    _one(
        "boost by the stated phase alone",
        "release.sanitise",
        "return burnout_us is None or state.epoch_us >= burnout_us",
        "return True",
    ),
    _one(
        "boost not looked at",
        "release.sanitise",
        "if state is None or state.phase is Phase.BOOST:",
        "if state is None:",
    ),
    _one(
        "the hub needs the timing to know the burnout",
        "release.decide",
        "    report = with_boost_until_burnout(report)\n",
        "",
        missed="needs a report that contradicts itself and whose timing no partner may have: one story in "
        "thousands (4000042 was one); tests/unit/release/test_sanitise.py holds it",
    ),
    _one(
        "latitude not snapped",
        "release.grid",
        "centre_latitude = (row + 0.5) * row_rad",
        "centre_latitude = latitude_rad",
    ),
    _one(
        "area not grown",
        "release.grid",
        "return math.ceil(axis_m / step_m) * step_m",
        "return math.sqrt(axis_squared)",
    ),
    _one(
        "a place stays for where it is in its cell",
        "release.grid",
        "distance_m(centre, one) <= stays_m",
        "distance_m((area.latitude_rad, area.longitude_rad), one) <= stays_m",
    ),
    _one(
        "a place stays for its axes to the metre",
        "release.grid",
        "stays_m = 2.0 * cell_m + major_m",
        "stays_m = 2.0 * cell_m + area.semi_major_m",
    ),
    _one(
        "a time stays for what it is before it is rounded",
        "release.grid",
        "abs(rounded_us - one)",
        "abs(time_us - one)",
        missed="found in story 753, later than a test may take; tests/unit/release/test_sanitise.py holds it",
    ),
    _one(
        "the first detection at its own time",
        "release.sanitise",
        "first_detected_at_us=step_time(timing.first_detected_at_us, 0.0, step_s)[0]",
        "first_detected_at_us=timing.first_detected_at_us",
    ),
    _one(
        "the newest detection at its own time",
        "release.sanitise",
        "observed_at_us=step_time(timing.observed_at_us, 0.0, step_s)[0]",
        "observed_at_us=timing.observed_at_us",
    ),
    _one("detections counted exactly", "release.sanitise", "detections=floor)", "detections=use.detections)"),
    _one("sensors by their own names", "release.sanitise", '"S-" + hmac', '"S-" + name or hmac'),
    _one(
        "label narrowed by arrangements",
        "nodes.guard",
        "label_report(config.rules, config.nation, config.rules.releasable_to)",
        "label_report(config.rules, config.nation, self.arrangements.partners(config.nation, now.utc_us))",
    ),
    _one(
        "time of the newest detection in the header",
        "release.seal",
        "valid_from_us=report.stated_at_us,",
        "valid_from_us=report.timing.observed_at_us if report.timing else report.stated_at_us,",
    ),
    _one(
        "nothing taken out",
        "release.seal",
        "kept = tuple(one for one in sealed.disclosures if one.group in groups)",
        "kept = sealed.disclosures",
    ),
)

JUDGING = (
    _one("a policy that errs is passed over", "release.cedar", "if answer.diagnostics.errors or ", "if "),
    Mutant(
        "an unknown obligation is none",
        "release.cedar",
        (
            ("return Withheld(reason=Reason.UNKNOWN_OB", "Withheld(reason=Reason.UNKNOWN_OB"),
            ("joined = joined.join(one)", "joined = joined.join(one or Obligations())"),
        ),
    ),
    _one(
        "an unknown annotation is passed over",
        "release.obligations",
        "        if one is None:\n            return None",
        "        if one is None:\n            continue",
    ),
    _one(
        "the last arrangement's obligations win",
        "release.cedar",
        "obligations=joined.obligations.join(one.obligations)",
        "obligations=one.obligations",
    ),
    _one(
        "a forbid binds its own arrangement only",
        "release.cedar",
        "            if not one.granted_by:\n                return one",
        "            if not one.granted_by:\n                continue",
    ),
    _memo("remembered whatever the age", "age_s=0"),
    _memo("remembered whatever the label", f"label=msgspec.structs.replace(question.label, {_BLANK})"),
    _memo("remembered whatever is in force", "agreements=()"),
    _memo("remembered whoever asks", 'recipient=""'),
    _memo("remembered whatever the lane", 'lane="FLASH"'),
    _one("lane not told to the policies", "release.cedar", "question.lane.value", '"ROUTINE"'),
    _one("the shorter delay wins", "release.obligations", "delay_s=max(", "delay_s=min("),
    _one("level not told to the policies", "release.cedar", '"level": int(rights.level)', '"level": 0'),
    _one(
        "restrictions not told to the policies",
        "release.cedar",
        '"restrictions": sorted(rights.restrictions)',
        '"restrictions": []',
    ),
    _one("age not told to the policies", "release.cedar", '"age_s": question.age_s', '"age_s": 0'),
    _one("the finer grid wins", "release.obligations", "grid_m=max(", "grid_m=min("),
    _one("the finer rounding wins", "release.obligations", "round_time_s=max(", "round_time_s=min("),
    _one(
        "one permit opens the boost",
        "release.obligations",
        "coast_only=self.coast_only or",
        "coast_only=self.coast_only and",
    ),
    _one(
        "one permit names the sensors",
        "release.obligations",
        "opaque_sensor=self.opaque_sensor or",
        "opaque_sensor=self.opaque_sensor and",
    ),
    _one(
        "truncation without effect",
        "release.obligations",
        'case "truncate_before", "burnout":\n            return Obligations(coast_only=True)',
        'case "truncate_before", "burnout":\n            return Obligations()',
    ),
    _one(
        "overrides of a label not looked at",
        "release.label",
        "for one in label.overrides if one.group is group)",
        "for one in label.overrides if False)",
    ),
    _one(
        "rights joined by union",
        "release.label",
        "releasable_to=self.releasable_to & other.releasable_to",
        "releasable_to=self.releasable_to | other.releasable_to",
    ),
)

_SUSPENDED = "def is_suspended(self, arrangement: str) -> bool:"

RELAYING = (
    _one(
        "suspensions told to everybody",
        "nodes.hub.node",
        "if nation in parties and nation != said.party",
        "if nation != said.party",
    ),
    _one(
        "refusals written into the log of whom they are kept from",
        "nodes.hub.passage",
        "decided, now.utc_us)]\n",
        "decided, now.utc_us), partner.books.refuse(delivery, decided, now.utc_us)]\n",
    ),
    _one(
        "receipts wait for the next tick",
        "nodes.hub.node",
        "[WakeAt(max(now.monotonic_us + 1, due_us))]",
        "[]",
    ),
    _one(
        "a suspension does nothing",
        "release.arrangements",
        _SUSPENDED,
        f"{_SUSPENDED}\n        return False\n\n    def was(self, arrangement: str) -> bool:",
    ),
)

MUTANTS = (*POLICIES, *DECIDING, *JUDGING, *WAITING, *RELAYING)
