"""A notice goes to its own nation or instance, bounded, and without a field where there is nothing to say."""

import pytest

from beaconfire.messages.codec import decode, encode
from beaconfire.messages.health import Notice
from beaconfire.messages.words import LINK_SCHEMA_BEFORE, Lane, Severity
from beaconfire.nodes.commands import Channel, Now
from beaconfire.nodes.picture_words import hubs_heard
from beaconfire.nodes.voice import ARGUMENT_CHARACTERS_MAX, Said, Voice

NOW = Now(7, 1)
VOICE = Voice("guard/KOR", "KOR")


def test_a_notice_goes_home_in_the_name_of_its_node() -> None:
    said = Said("gap", Severity.CAUTION, "two are missing", {"party": "HUB-1", "count": 2})
    told = VOICE.tell(said, NOW, Lane.ROUTINE)
    assert (told.channel, told.recipient, told.lane) == (Channel.NOTICE, "KOR", Lane.ROUTINE)
    about: dict[str, str | int] = {"party": "HUB-1", "count": 2}
    assert told.message == Notice("gap", Severity.CAUTION, "two are missing", 7, "guard/KOR", about)


def test_a_value_of_any_length_is_cut() -> None:
    notice = VOICE.notice(Said("gap", Severity.CAUTION, "", {"party": "x" * 100_000, "count": 10**9}), NOW)
    assert notice.arguments == {"party": "x" * ARGUMENT_CHARACTERS_MAX, "count": 10**9}
    assert decode(encode(notice)) == notice


@pytest.mark.parametrize("alone", [True, False])
def test_what_the_warning_acts_on_is_read_by_the_schema_before(*, alone: bool) -> None:
    (said,) = hubs_heard(frozenset(), alone=alone)
    notice = VOICE.notice(said, NOW)
    assert notice.code == ("link-down" if alone else "link-up")
    assert decode(encode(notice), LINK_SCHEMA_BEFORE) == notice
