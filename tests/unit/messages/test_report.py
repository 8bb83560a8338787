"""A report can't say anything but own sensors, and its groups are the groups of a label."""

from typing import get_type_hints

import msgspec
import pytest

from beaconfire.errors import PeerError
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.envelope import Header
from beaconfire.messages.refusal import Withheld
from beaconfire.messages.report import GROUP_TYPES, Provenance, Report
from beaconfire.messages.words import SCHEMA_VERSION, Group, Mode, Nation

REPORT = Report("r-1", "KOR-7F3A", None, Nation("KOR"), Mode.SIMULATED, "sim", 1)


def test_every_group_has_its_field_and_type_in_the_report() -> None:
    hints = get_type_hints(Report)
    assert set(GROUP_TYPES) == set(Group)
    assert {group.value for group in Group} == hints.keys() & {group.value for group in Group}
    assert all(hints[group.value] == GROUP_TYPES[group] for group in Group)


def test_order_of_groups_is_that_of_the_fields() -> None:
    fields = [name for name in Report.__struct_fields__ if name in {group.value for group in Group}]
    assert fields == [group.value for group in Group]


def test_a_report_can_not_rest_on_others_sensors() -> None:
    fields = msgspec.msgpack.decode(encode(REPORT))
    fields["provenance"] = {"own_sensors_only": False, "transform": "fused", "producer": "elsewhere"}
    with pytest.raises(PeerError, match="own_sensors_only"):
        decode(encode(fields))


def test_own_sensors_are_stated() -> None:
    stated = msgspec.structs.replace(REPORT, provenance=Provenance(True, "coast-batch", "beaconfire"))
    assert decode(encode(stated)) == stated


@pytest.mark.parametrize("field", ["hub_estimate", "fused_with", "partners"])
def test_there_is_no_room_for_what_came_from_the_hub(field: str) -> None:
    with pytest.raises(PeerError, match="schema"):
        decode(encode(msgspec.msgpack.decode(encode(REPORT)) | {field: None}))


@pytest.mark.parametrize("value", [REPORT, Withheld])
def test_messages_do_not_change(value: object) -> None:
    frozen = value.__struct_config__.frozen  # type: ignore[attr-defined]
    assert frozen


def test_header_states_its_schema_version_first() -> None:
    assert Header.__struct_fields__[0] == "schema"
    assert SCHEMA_VERSION >= 1
