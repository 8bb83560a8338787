"""The committed JSON Schema is that of the types, and holds what the program writes."""

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest

from beaconfire.cli.main import main
from beaconfire.formats.events import format_event
from beaconfire.formats.schema import SCHEMAS, schema_files, schema_of
from beaconfire.messages.event import Event
from beaconfire.messages.transfer import Probe
from beaconfire.messages.words import Lane, Mode, Nation, Status

COMMITTED = Path(__file__).parents[3] / "docs" / "schema"


@pytest.mark.parametrize("name", sorted(schema_files()))
def test_committed_schema_is_up_to_date(name: str) -> None:
    assert (COMMITTED / name).read_bytes() == schema_files()[name], "run: beaconfire schema"


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_each_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(name))


def test_a_written_event_line_and_a_message_fit_theirs() -> None:
    event = Event(
        Nation("JPN"), "a", 1, 2, 2, Mode.SIMULATED, Status.TENTATIVE, None, (), (), (),
        False, False, None, None, None, None, (), (), (),
    )  # fmt: skip
    jsonschema.validate(json.loads(format_event(event)), schema_of("event-line"))
    probe = Probe("JPN", "HUB", Lane.FLASH, 1, 2, echo=False)
    jsonschema.validate(msgspec.to_builtins(probe), schema_of("message"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(msgspec.to_builtins(probe) | {"number": "one"}, schema_of("message"))


def test_verb_writes_and_checks(tmp_path: Path) -> None:
    assert main(["schema", "--out", str(tmp_path), "--check"]) == 1
    assert main(["schema", "--out", str(tmp_path)]) == 0
    assert main(["schema", "--out", str(tmp_path), "--check"]) == 0
    (tmp_path / "message.json").write_text("{}")
    assert main(["schema", "--out", str(tmp_path), "--check"]) == 1
