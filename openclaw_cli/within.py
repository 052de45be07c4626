"""A time limit for what has none of its own: a library that waits for its server for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from openclaw_cli.errors import TemporaryError

T = TypeVar("T")


class LateError(Exception):
    """What was waited for has not come in time."""


def within(seconds: float, work: Callable[[], T], service: str) -> T:
    """Return what `work` does on a thread; raises `TemporaryError` when it takes longer."""
    try:
        return awaited(seconds, work)
    except LateError:
        raise TemporaryError(f"{service} did not answer within the time limit") from None


def awaited(seconds: float, work: Callable[[], T]) -> T:
    """Return what `work` does on a thread; raises `LateError` when it takes longer.

    The thread is then left behind: what it asked for may still happen, as when a reply is lost.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def do() -> None:
        try:
            done.append(work())
        except BaseException as failure:  # noqa: BLE001 - it is raised where it is awaited
            failed.append(failure)

    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise LateError
    return done[0]
