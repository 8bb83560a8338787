"""The passage of a report through the hub: opened, decided for each partner, recorded, posted or kept.

Every delivery ends, for each partner, as exactly one audit record; what waits has none until its time comes.
"""

from collections.abc import Mapping

from beaconfire.link.lane_queue import FIRST_RESEND_US
from beaconfire.messages.health import Arguments
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Nation, Severity
from beaconfire.nodes.commands import Channel, Command, Now, WakeAt
from beaconfire.nodes.hub.config import HubConfig
from beaconfire.nodes.hub.tie import Tie
from beaconfire.nodes.hub.waiting import WAITING_MAX, Waiting
from beaconfire.nodes.posting import commands_from_put
from beaconfire.nodes.voice import Said, Voice
from beaconfire.release.choice import Waited
from beaconfire.release.decide import Later, Outgoing, Released, release_to_partner
from beaconfire.release.opening import Opened, open_sealed
from beaconfire.release.ruling import Releaser


class Passage:
    """Passes on what nations sent."""

    def __init__(
        self,
        config: HubConfig,
        releaser: Releaser,
        links: Mapping[Nation, Tie],
        counters: dict[str, int],
        voice: Voice,
    ) -> None:
        """Take what the hub holds; the counters are counted up."""
        self._config = config
        self._releaser = releaser
        self._links = links
        self._counters = counters
        self._voice = voice

    def opened(self, link: Tie, delivery: Delivery, now: Now) -> Opened | Withheld:
        """Return a delivery of a nation verified and opened, or why it is refused."""
        if delivery.hops != 0:
            return Withheld(reason=Reason.TOO_MANY_HOPS, rule="delivery", detail=f"{delivery.hops}")
        opened = open_sealed(
            delivery.sealed,
            recipient=HUB,
            keyring=self._config.keyring,
            now_us=now.utc_us,
            mode=self._config.mode,
            arrangements=self._releaser.arrangements,
            hops=0,
        )
        if isinstance(opened, Withheld):
            return opened
        header = opened.header
        if header.originator != link.nation:
            return Withheld(reason=Reason.WRONG_SENDER, rule="originator", detail=header.originator)
        if header.report_id != delivery.report_id:
            return Withheld(reason=Reason.SCHEMA, rule="delivery", detail="frame and header differ")
        return opened

    def pass_on(self, link: Tie, delivery: Delivery, opened: Opened, now: Now) -> list[Command]:
        """Decide for every other nation; the order of the parties says nothing of what is in force."""
        commands: list[Command] = []
        for partner in self._links.values():
            if partner is link:
                continue
            decided = release_to_partner(opened, partner.nation, self._releaser, now.utc_us)
            if isinstance(decided, Later):
                commands += self._keep(link, partner, delivery, decided, now)
            else:
                commands += self._settle(link, partner, (delivery, decided), now)
        return commands

    def _keep(self, link: Tie, partner: Tie, delivery: Delivery, later: Later, now: Now) -> list[Command]:
        """Keep a report until its time comes; a full room lets the oldest go, which is refused then."""
        self._counters["delayed"] += 1
        commands, gone = partner.room.add(link.nation, delivery, later, now)
        if gone is not None:
            why = Withheld(Reason.REPLAYED, "waiting-room", f"more than {WAITING_MAX} wait")
            commands += self._settle(self._links[gone.sender], partner, (gone.delivery, why), now)
        due_us = partner.room.next_due_us()
        return [*commands, *([] if due_us is None else [WakeAt(due_us)])]

    def let_out(self, partner: Tie, now: Now) -> list[Command]:
        """Decide anew on what has waited long enough towards a nation."""
        return [one for held in partner.room.ready(now) for one in self._let_out(partner, held, now)]

    def _let_out(self, partner: Tie, held: Waiting, now: Now) -> list[Command]:
        link = self._links[held.sender]
        waited_us = partner.room.waited_us(held, now)
        opened = self.opened(link, held.delivery, now)
        decided: Released[Outgoing] | Withheld | Later
        if isinstance(opened, Withheld):
            decided = opened
        else:
            waited = Waited(waited_us, held.agreements)
            decided = release_to_partner(opened, partner.nation, self._releaser, now.utc_us, waited)
        if isinstance(decided, Later):
            return partner.room.prolong(held, waited_us + decided.wait_us)
        return [partner.room.end(held), *self._settle(link, partner, (held.delivery, decided), now)]

    def _settle(
        self,
        link: Tie,
        partner: Tie,
        case: tuple[Delivery, Released[Outgoing] | Withheld],
        now: Now,
    ) -> list[Command]:
        """Record one decision with the giver and, if released, with the recipient; then post it."""
        delivery, decided = case
        if isinstance(decided, Withheld):
            self._counters["refused"] += 1
            self._counters["superseded"] += decided.reason is Reason.REPLAYED
            return [link.books.withhold(delivery, partner.nation, decided, now.utc_us)]
        self._counters["released"] += 1
        clock = link.liveness.peer_clock.apart_from(partner.liveness.peer_clock)
        put = partner.outbox.put(decided, utc_us=now.utc_us, monotonic_us=now.monotonic_us, clock=clock)
        commands: list[Command] = [
            *link.books.release(delivery, decided.value, partner.books, now.utc_us),
            *commands_from_put(put, Channel.TO_NATION, partner.nation),
        ]
        if put.parcel:
            commands.append(WakeAt(now.monotonic_us + FIRST_RESEND_US[delivery.lane]))
        if put.refused:
            self._counters["lost"] += 1
            about: Arguments = {"party": partner.nation, "report": delivery.report_id}
            text = f"towards {partner.nation}"
            said = Said(f"outbox-{put.refused}", Severity.FAULT, text, about)
            commands.append(self._voice.tell(said, now))
        return commands
