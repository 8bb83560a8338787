"""Compute beside the main process in a fork of it, on the second core."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TypeVar

import msgspec

Result = TypeVar("Result")


def forked(
    kind: type[Result], work: Callable[[str], Result], names: Sequence[str]
) -> Callable[[], list[Result]]:
    """Begin the work for all names in one fork of this process; what is returned waits for the results.

    The fork sees everything as it was made, so nothing but the results is copied. Where there is one core,
    or no fork, or the fork fails, the work is done here when it is waited for.

    Args:
        kind: of one result: a message type, for what comes back is decoded strictly.
        work: a pure function of the name.
        names: in the order of the results.
    """
    if (os.cpu_count() or 1) < 2 or "fork" not in multiprocessing.get_all_start_methods():
        return lambda: [work(name) for name in names]
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(work, names, there), daemon=True)
    process.start()
    there.close()

    def wait() -> list[Result]:
        results: list[Result]
        try:
            results = msgspec.msgpack.decode(here.recv_bytes(), type=list[kind])  # type: ignore[valid-type]
        except (EOFError, OSError):
            results = [work(name) for name in names]
        process.join()
        return results

    return wait


def _work(work: Callable[[str], object], names: Sequence[str], there: Connection) -> None:
    there.send_bytes(msgspec.msgpack.encode([work(name) for name in names]))
    there.close()
