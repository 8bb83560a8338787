"""The error tree: whose fault a failure is, is its type.

Four kinds, never mixed. A *refusal* to release is a value (`messages.refusal.Withheld`), not an exception.
The *peer's* fault is `PeerError`: caught once at the edge, counted, audited, dropped. The *user's* is
`UsageError`: one clear line, exit status 2. *Our environment's* is `EnvironmentFault`: retried within a
limit, then a notice. Our own bug is an assertion: the process dies and is restarted.
"""


class BeaconfireError(Exception):
    """Base of every error the program raises on purpose."""


class UsageError(BeaconfireError):
    """Wrong use or bad input: what, where, and what was expected.

    Attributes:
        what: what is wrong, lower case, no full stop.
        where: file, line, option or field the fault is at; empty if there is none.
        expected: what would have been right; empty if `what` says it.
    """

    def __init__(self, what: str, where: str = "", expected: str = "") -> None:
        self.what = what
        self.where = where
        self.expected = expected
        place = f"{where}: " if where else ""
        wanted = f" (expected {expected})" if expected else ""
        super().__init__(f"{place}{what}{wanted}")


class PeerError(BeaconfireError):
    """A message from somebody else that cannot be accepted.

    Attributes:
        code: short stable code that may cross a border.
        detail: what was wrong, for the own journal only.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}" if detail else code)


class EnvironmentFault(BeaconfireError):
    """Something this machine should provide is missing, full or broken.

    Attributes:
        what: what failed.
        remedy: how to get it working.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}; {remedy}" if remedy else what)
