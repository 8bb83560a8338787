"""The laws of the label algebra: a bounded semilattice that never loosens."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from beaconfire.messages.label import GroupLabel, Label
from beaconfire.messages.words import Group, Level, Nation
from beaconfire.release.label import (
    Rights,
    flaw_in_label,
    join_labels,
    rights_of,
    rights_of_message,
    tighten,
)
from beaconfire.release.obligations import Obligations

PARTIES = frozenset(Nation(name) for name in ("JPN", "KOR", "USA"))
MARKS = frozenset({"ORCON", "EYES"})

parties = st.sets(st.sampled_from(sorted(PARTIES))).map(frozenset)
marks = st.sets(st.sampled_from(sorted(MARKS))).map(frozenset)
levels = st.sampled_from(Level)
rights = st.builds(Rights, level=levels, releasable_to=parties, restrictions=marks)
group_labels = st.builds(
    GroupLabel, group=st.sampled_from(Group), level=levels, releasable_to=parties, restrictions=marks
)
bare_labels = st.builds(
    Label,
    policy=st.just("notional"),
    level=levels,
    releasable_to=parties.filter(bool),
    restrictions=marks,
    tags=st.just(frozenset()),
    originator=st.just(Nation("USA")),
)
labels = st.builds(tighten, bare_labels, st.lists(group_labels, max_size=4))
LOOSEST = Rights(level=Level.UNCLASSIFIED, releasable_to=PARTIES, restrictions=frozenset())
TIGHTEST = Rights(level=Level.SECRET, releasable_to=frozenset(), restrictions=MARKS)

obligations = st.builds(
    Obligations,
    drop=st.booleans(),
    grid_m=st.sampled_from([0.0, 1_000.0, 10_000.0]),
    round_time_s=st.sampled_from([0.0, 1.0, 10.0]),
    coast_only=st.booleans(),
    opaque_sensor=st.booleans(),
)


@given(rights, rights, rights)
def test_join_is_idempotent_commutative_and_associative(a: Rights, b: Rights, c: Rights) -> None:
    assert a.join(a) == a
    assert a.join(b) == b.join(a)
    assert a.join(b).join(c) == a.join(b.join(c))


@given(rights)
def test_join_is_bounded(a: Rights) -> None:
    assert a.join(LOOSEST) == a
    assert a.join(TIGHTEST) == TIGHTEST


@given(st.lists(rights, min_size=1, max_size=5))
def test_what_is_derived_is_at_least_as_tight_as_each_part(parts: list[Rights]) -> None:
    whole = reduce(Rights.join, parts)
    for part in parts:
        assert whole.level >= part.level
        assert whole.releasable_to <= part.releasable_to
        assert whole.restrictions >= part.restrictions
        assert whole.is_within(part)


@given(bare_labels, st.lists(group_labels, max_size=5), st.sampled_from(Group))
def test_overrides_only_tighten(label: Label, overrides: list[GroupLabel], group: Group) -> None:
    tightened = tighten(label, overrides)
    assert rights_of(tightened, group).is_within(rights_of_message(label))
    assert not flaw_in_label(tightened, "USA")


@given(bare_labels, group_labels)
def test_an_override_that_loosens_is_no_label_at_all(label: Label, override: GroupLabel) -> None:
    forged = Label(
        policy=label.policy,
        level=label.level,
        releasable_to=label.releasable_to,
        restrictions=label.restrictions,
        tags=label.tags,
        originator=label.originator,
        overrides=(override,),
    )
    loosens = (
        override.level < label.level
        or not override.releasable_to <= label.releasable_to
        or not override.restrictions >= label.restrictions
    )
    assert bool(flaw_in_label(forged, "USA")) is loosens


@given(labels, labels, st.sampled_from(Group))
def test_join_of_labels_is_the_join_of_each_group(a: Label, b: Label, group: Group) -> None:
    both = join_labels(a, b)
    assert rights_of(both, group) == rights_of(a, group).join(rights_of(b, group))
    assert join_labels(a, b) == join_labels(b, a)


@given(obligations, obligations, obligations)
def test_obligations_join_to_the_strictest(a: Obligations, b: Obligations, c: Obligations) -> None:
    assert a.join(a) == a
    assert a.join(b) == b.join(a)
    assert a.join(b).join(c) == a.join(b.join(c))
    assert a.join(Obligations()) == a
    assert a.join(b).grid_m >= a.grid_m
    assert a.join(b).drop >= a.drop


@given(labels, labels, labels)
def test_join_of_labels_is_idempotent_and_associative_in_what_decides(a: Label, b: Label, c: Label) -> None:
    left, right = join_labels(join_labels(a, b), c), join_labels(a, join_labels(b, c))
    for group in Group:
        assert rights_of(left, group) == rights_of(right, group)
        assert rights_of(join_labels(a, a), group) == rights_of(a, group)


@given(labels, labels)
def test_what_is_joined_may_be_joined_into_an_override_that_only_tightens(a: Label, b: Label) -> None:
    joined = join_labels(a, b)
    assert all(rights_of(joined, group).is_within(rights_of_message(joined)) for group in Group)


@given(rights, rights, rights)
def test_within_is_an_order_and_join_its_least_upper_bound(a: Rights, b: Rights, c: Rights) -> None:
    assert a.is_within(a)
    assert not (a.is_within(b) and b.is_within(a)) or a == b
    assert not (a.is_within(b) and b.is_within(c)) or a.is_within(c)
    assert (c.is_within(a) and c.is_within(b)) is c.is_within(a.join(b))
