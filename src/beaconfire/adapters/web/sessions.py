"""Who is signed in, and until when. A session is a random token; only its digest is held."""

import hashlib
import secrets
from collections import OrderedDict
from typing import Any, Final

import msgspec

SESSIONS_MAX: Final = 256
TOKEN_BYTES: Final = 32
LIFE_S: Final = 12 * 3_600.0
PERSON_CHARACTERS_MAX: Final = 60


class Session(msgspec.Struct, frozen=True):
    """One person signed in.

    Attributes:
        person: as their certificate names them.
        until_s: monotonic seconds at which it is over.
    """

    person: str
    until_s: float


class Sessions:
    """The open sessions of one display, at most `SESSIONS_MAX`: the oldest gives way."""

    def __init__(self, life_s: float = LIFE_S) -> None:
        """Let each session last `life_s`, whatever is done in it."""
        self.life_s = life_s
        self._held: OrderedDict[bytes, Session] = OrderedDict()

    def open(self, person: str, now_s: float) -> str:
        """Return the token of a new session."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._held[_digest(token)] = Session(person, now_s + self.life_s)
        if len(self._held) > SESSIONS_MAX:
            self._held.popitem(last=False)
        return token

    def find(self, token: str, person: str, now_s: float) -> Session | None:
        """Return the session of a token, None if there is none, it is over, or it is somebody else's."""
        session = self._held.get(_digest(token))
        if session is None or session.person != person:
            return None
        if now_s >= session.until_s:
            self.close(token)
            return None
        return session

    def close(self, token: str) -> None:
        """End a session, if there is one."""
        self._held.pop(_digest(token), None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def person_of(certificate: dict[str, Any] | None) -> str:
    """Return the common name of a verified client certificate, empty if there is none.

    Args:
        certificate: as `ssl.SSLSocket.getpeercert` gives it.
    """
    for part in (certificate or {}).get("subject", ()):
        for name, value in part:
            if name == "commonName":
                return str(value)[:PERSON_CHARACTERS_MAX]
    return ""
