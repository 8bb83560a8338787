"""Seeded bugs of what an arrangement delays, for the mutation gate."""

from mutant import one as _one

WAITING = (
    _one("nothing waits", "release.decide", "if wait_us > 0:", "if False:"),
    _one(
        "delays only where the group that bears it is there",
        "release.ruling",
        "(one.delay_s for one in ruling.groups.values())",
        "(one.delay_s for group, one in ruling.groups.items() if group == Group.PROVENANCE)",
    ),
    _one("what waits leaves early", "release.decide", "if wait_us > 0:", "if wait_us > 200_000:"),
    _one(
        "what waits leaves when somebody else is served",
        "nodes.hub.waiting",
        "return self._not_before_us if self._held else None",
        "return None",
    ),
    _one(
        "what waits is asked again as if it had just come",
        "nodes.hub.passage",
        "self._releaser, now.utc_us, waited)",
        "self._releaser, now.utc_us)",
    ),
    _one(
        "what was overtaken while it waited passes",
        "release.choice",
        "return None if trail.is_overtaken(self.recipient, self.track, sent_at_us) else Lane.ROUTINE",
        "return Lane.ROUTINE",
    ),
    _one(
        "what waits is recorded when it comes",
        "nodes.hub.passage",
        "commands, gone = partner.room.add(link.nation, delivery, later, now)",
        "commands, gone = partner.room.add(link.nation, delivery, later, now)\n"
        '        why = Withheld(Reason.EXPIRED, "later")\n'
        "        commands += partner.books.refuse(delivery, why, now.utc_us)",
    ),
    _one(
        "what waits passes under whatever is in force by then",
        "release.choice",
        "if asked.waited is not None and asked.waited.agreements != digests:",
        "if False:",
        missed="needs a suspension within the wait that ends an obligation: once in thousands of stories "
        "(5026510, run by tests/simulation/test_noninterference.py, was one); tests/unit/nodes/test_delay.py",
    ),
)
