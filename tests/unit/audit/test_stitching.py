import msgspec
import pytest

from beaconfire.audit.stitching import stitch

RECORDS = [msgspec.msgpack.encode({"index": number}) for number in range(10)]


def test_pieces_in_any_order_make_the_log_and_what_two_hold_alike_is_taken_once() -> None:
    for pieces in ([RECORDS[:4], RECORDS[4:]], [RECORDS[4:], [], RECORDS[:4]], [RECORDS[2:], RECORDS[:6]]):
        assert stitch(pieces) == (0, RECORDS, "")
    assert stitch([RECORDS[:6], RECORDS[2:4]]) == (0, RECORDS[:6], "")
    assert stitch([]) == (0, [], "")


def test_a_log_may_begin_later_but_has_no_hole() -> None:
    assert stitch([RECORDS[5:], RECORDS[3:5]]) == (3, RECORDS[3:], "")
    assert "records 4 to 5 are missing" in stitch([RECORDS[:4], RECORDS[6:]]).flaw


def test_two_files_that_differ_are_two_histories() -> None:
    other = [*RECORDS[3:5], msgspec.msgpack.encode({"index": 5, "other": 1})]
    assert "two histories of record 5" in stitch([RECORDS[:8], other]).flaw


@pytest.mark.parametrize("body", [b"\xc1", b"\x01", msgspec.msgpack.encode({"index": -1}), b""])
def test_what_is_no_record_stands_at_the_beginning(body: bytes) -> None:
    assert stitch([[body]]).records == [body]
