"""Labels as XML: there and back, and a refusal for everything that is missing, unknown or looser."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beaconfire.errors import UsageError
from beaconfire.formats.label_xml import MAXIMUM_LABEL_BYTES, label_from_xml, label_to_xml
from beaconfire.messages.label import GroupLabel, Label
from beaconfire.messages.words import Group, Level, Nation
from beaconfire.release.label import tighten

POLICIES = {"notional", "a & b <c>"}
T0_US = 1_664_835_785_000_000

nations = st.sampled_from([Nation("JPN"), Nation("KOR"), Nation("USA")])
marks = st.sets(st.from_regex(r"\A[!-~]{1,8}( [!-~]{1,8})?\Z"), max_size=3).map(frozenset)
levels = st.sampled_from(Level)
labels = st.builds(
    Label,
    policy=st.sampled_from(sorted(POLICIES)),
    level=levels,
    releasable_to=st.sets(nations, min_size=1).map(frozenset),
    restrictions=marks,
    tags=marks,
    originator=nations,
)
overrides = st.lists(
    st.builds(
        GroupLabel,
        group=st.sampled_from(Group),
        level=levels,
        releasable_to=st.sets(nations).map(frozenset),
        restrictions=marks,
    ),
    max_size=3,
    unique_by=lambda one: one.group,
)


@given(labels, overrides)
def test_there_and_back(label: Label, tighter: list[GroupLabel]) -> None:
    whole = tighten(label, tighter)
    text = label_to_xml(whole, T0_US)
    assert label_from_xml(text.encode(), "test", POLICIES) == whole
    assert label_to_xml(label_from_xml(text.encode(), "test", POLICIES), T0_US) == text


LABEL = Label(
    policy="notional",
    level=Level.RESTRICTED,
    releasable_to=frozenset({Nation("JPN"), Nation("USA")}),
    restrictions=frozenset({"ORCON"}),
    tags=frozenset({"drill"}),
    originator=Nation("KOR"),
)
TEXT = label_to_xml(LABEL, T0_US)
SENSOR = GroupLabel(Group.SENSOR, Level.SECRET, frozenset({Nation("USA")}), frozenset({"ORCON"}))
WITH_GROUP = label_to_xml(tighten(LABEL, [SENSOR]), T0_US)


def refused(text: str, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        label_from_xml(text.encode(), "test", POLICIES)


def without(element: str, text: str = TEXT) -> str:
    changed = re.sub(rf"<{element}[ >].*?</{element}>", "", text, flags=re.DOTALL)
    assert changed != text
    return changed


def replaced(old: str, new: str, text: str = TEXT) -> str:
    assert old in text
    return text.replace(old, new)


def test_it_has_the_shape_of_the_standard() -> None:
    assert 'xmlns="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"' in TEXT
    released = "<GenericValue>JPN</GenericValue><GenericValue>USA</GenericValue>"
    assert f'<Category Type="PERMISSIVE" TagName="Releasable To">{released}</Category>' in TEXT
    assert TEXT.index("<PolicyIdentifier>") < TEXT.index("<Classification>") < TEXT.index("<OriginatorID")
    assert "<CreationDateTime>2022-10-03T22:23:05Z</CreationDateTime>" in TEXT


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (without("PolicyIdentifier"), "unlabelled: no policy or no classification"),
        (without("Classification"), "unlabelled: no policy or no classification"),
        (without("OriginatorID"), "unlabelled: no OriginatorID"),
        (without("CreationDateTime"), "unlabelled: no CreationDateTime"),
        (without("ConfidentialityInformation"), "unlabelled: no ConfidentialityInformation"),
        (re.sub('<Category Type="PERMISSIVE".*?</Category>', "", TEXT), "releasable to nobody"),
        (replaced("notional", "another"), "an unknown policy another"),
        (replaced("RESTRICTED<", "COSMIC<"), "an unknown classification COSMIC"),
        (replaced('TagName="Restrictions"', 'TagName="Caveats"'), "an unknown category Caveats"),
        (replaced('"RESTRICTIVE"', '"INFORMATIVE"'), "an unknown category Restrictions"),
        (replaced('"INFORMATIVE" TagName="Tags"', '"RESTRICTIVE" TagName="Restrictions"'), "category"),
        (replaced(">JPN<", ">Japan<"), "Japan is no nation"),
        (replaced("nation:KOR", "nation:"), " is no nation"),
        (replaced("urn:beaconfire:nation:", ""), "an unknown originator KOR"),
        (replaced("Label xmlns=", 'Label ReviewDateTime="x" xmlns='), "an element"),
        (replaced("2022-10-03T", "yesterday "), "not a time"),
        (replaced("4774", "4775"), "an element originatorConfidentialityLabel"),
        (replaced("GenericValue>", "Value>"), "without values"),
        ("<labels xmlns='urn:beaconfire:labels:1'/>", "no label in it"),
        ("", "not a label"),
        ("<a", "not a label"),
        (f"<!DOCTYPE x>{TEXT.partition('?>')[2]}", "XML without a DTD"),
        ("x" * (MAXIMUM_LABEL_BYTES + 1), "too large"),
        (replaced('name="sensor"', 'name="secret"', WITH_GROUP), "which is no group"),
        (replaced("SECRET<", "UNCLASSIFIED<", WITH_GROUP), "an override that loosens"),
        (WITH_GROUP.replace("nation:KOR", "nation:JPN", 1), "of another policy or originator"),
    ],
)
def test_what_is_missing_unknown_or_looser_is_refused(text: str, match: str) -> None:
    refused(text, match)


def test_an_entity_bomb_is_refused_before_it_grows() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
    refused(bomb, "XML without a DTD")


def test_two_labels_of_one_group_are_refused() -> None:
    group = re.search(r"<group .*?</group>\n", WITH_GROUP, re.DOTALL)
    assert group is not None
    refused(WITH_GROUP.replace(group[0], group[0] * 2), "two labels of one group")


@pytest.mark.parametrize("mark", ["a\nb", " a", "", "\x00", "é"])
def test_what_xml_can_not_hold_is_not_written(mark: str) -> None:
    label = Label(
        "notional", Level.SECRET, LABEL.releasable_to, frozenset({mark}), frozenset(), Nation("KOR")
    )
    with pytest.raises(UsageError, match="can't hold"):
        label_to_xml(label, T0_US)


def test_what_is_no_label_is_not_written() -> None:
    nobody = Label("notional", Level.SECRET, frozenset(), frozenset(), frozenset(), Nation("KOR"))
    with pytest.raises(UsageError, match="releasable to nobody"):
        label_to_xml(nobody, T0_US)
