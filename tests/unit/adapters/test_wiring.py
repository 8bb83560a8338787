import pytest

from beaconfire.adapters.wiring import (
    FLOWS,
    HOME_ROLES,
    LINK_ROLES,
    Line,
    Role,
    Server,
    allowed,
    allowed_in_hub_account,
    heard_on,
    line_for,
    subject_for,
)
from beaconfire.messages.words import HUB, Lane
from beaconfire.nodes.commands import Channel


def test_what_came_from_the_hub_can_not_reach_a_national_node() -> None:
    assert set(allowed(Role.NATIONAL, Server.HOME).subscribe) == {"detection.FLASH", "detection.ROUTINE"}
    assert allowed(Role.NATIONAL, Server.HUB).subscribe == ()


def test_only_the_guard_delivers_to_the_hub_and_only_the_hub_to_a_nation() -> None:
    publishers = {
        (flow.channel, role) for flow in FLOWS if flow.kind == "delivery" for role in flow.publishers
    }
    assert publishers == {(Channel.TO_HUB, Role.GUARD), (Channel.TO_NATION, Role.HUB)}


@pytest.mark.parametrize("role", [Role.OBSERVER])
def test_who_only_listens_says_nothing(role: Role) -> None:
    assert allowed(role, Server.HOME).publish == ()
    assert allowed_in_hub_account(role).publish == ()


def test_only_guard_and_picture_are_on_a_link() -> None:
    on_link = {role for role in Role if allowed(role, Server.HUB) != allowed(Role.FEED, Server.HUB)}
    assert on_link == {Role.HUB, *LINK_ROLES}
    assert Role.HUB not in HOME_ROLES


def test_no_allow_list_holds_a_wildcard() -> None:
    for role in Role:
        for server in Server:
            may = allowed(role, server)
            assert not [s for s in (*may.publish, *may.subscribe) if "*" in s or ">" in s]


def test_each_lane_of_a_link_is_a_line_of_its_own() -> None:
    flash = line_for("KOR", Channel.TO_HUB, HUB, Lane.FLASH)
    routine = line_for("KOR", Channel.TO_HUB, HUB, Lane.ROUTINE)
    assert (flash, routine) == (Line(Server.HUB, HUB, Lane.FLASH), Line(Server.HUB, HUB, Lane.ROUTINE))
    assert line_for(HUB, Channel.TO_NATION, "JPN", Lane.FLASH) == Line(Server.HUB, "JPN", Lane.FLASH)


def test_what_is_said_at_home_goes_over_the_home_line() -> None:
    assert line_for("KOR", Channel.EVENT, "KOR", Lane.FLASH) == Line(Server.HOME, "KOR", None)
    assert line_for(HUB, Channel.HEALTH, HUB, Lane.ROUTINE) == Line(Server.HOME, HUB, None)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
def test_each_role_subscribes_to_what_it_is_allowed_and_to_all_of_it(role: Role) -> None:
    party = HUB if role is Role.HUB else "KOR"
    peer = "KOR" if role is Role.HUB else HUB
    if role is not Role.HUB:
        home = heard_on(Line(Server.HOME, party, None), role, party)
        assert sorted(one.subject for one in home) == sorted(allowed(role, Server.HOME).subscribe)
        assert {one.sender for one in home} <= {party}
    link = heard_on(Line(Server.HUB, peer, Lane.FLASH), role, party)
    assert sorted(one.subject for one in link) == sorted(allowed(role, Server.HUB).subscribe)
    assert {(one.sender, one.lane) for one in link} <= {(peer, Lane.FLASH)}


def test_what_is_sent_is_heard_under_the_same_subject() -> None:
    link = Line(Server.HUB, HUB, Lane.FLASH)
    assert subject_for(link, Channel.TO_HUB, Lane.FLASH, "delivery") == "to-hub.delivery"
    home = Line(Server.HOME, "KOR", None)
    assert subject_for(home, Channel.EVENT, Lane.FLASH, "event") == "event.FLASH"


def test_the_hub_s_observer_hears_what_the_hub_may_say() -> None:
    heard = heard_on(Line(Server.HOME, HUB, None), Role.OBSERVER, HUB)
    assert sorted(one.subject for one in heard) == sorted(allowed_in_hub_account(Role.HUB).publish)
    assert heard_on(Line(Server.HOME, HUB, None), Role.HUB, HUB) == ()
