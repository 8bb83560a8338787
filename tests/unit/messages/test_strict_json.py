import msgspec
import pytest

from beaconfire.adapters.bundles import shipped_templates
from beaconfire.errors import UsageError
from beaconfire.messages.arrangement import SignedBundle
from beaconfire.messages.strict_json import decode_json
from beaconfire.release.arrangements import bundle_of, make_bundle, read_bundle, verify_bundle
from release_world import FROM_US, T0_US, UNTIL_US, keyring, keys_of


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'[{"a": 1, "\\u0061": 2}]',
        b'{"a": NaN}',
        b"[" * 100_000,
        b'"\xff"',
        b"",
    ],
)
def test_what_readers_would_take_differently_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_json(text, dict)


def test_the_rest_is_read_as_before() -> None:
    assert decode_json(b'{"a": 1, "b": [1, 2]}', dict) == {"a": 1, "b": [1, 2]}


def signed() -> SignedBundle:
    template = shipped_templates()["trilateral"]
    return make_bundle(template, list(keys_of().values()), valid_from_us=FROM_US, valid_until_us=UNTIL_US)


def test_an_arrangement_whose_envelope_gives_a_key_twice_is_refused() -> None:
    text = msgspec.json.encode(signed())
    assert read_bundle(text, "x") == signed()
    with pytest.raises(UsageError, match="stands twice"):
        read_bundle(b'{"signatures": [],' + text[1:], "x")


def test_an_arrangement_whose_signed_text_gives_a_key_twice_is_refused() -> None:
    """Well signed by all: one reader would take the one level, another the other."""
    text = signed().bundle.replace('"version":1', '"version":1,"version":2', 1)
    with pytest.raises(UsageError, match="'version' stands twice"):
        bundle_of(SignedBundle(text, ()), "x")
    with pytest.raises(UsageError, match="'version' stands twice"):
        verify_bundle(SignedBundle(text, signed().signatures), "x", now_us=T0_US, trusted=keyring())
