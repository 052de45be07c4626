"""What the alternatives run, and all that they load beforehand: no more than an agent has."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def echo(given: int) -> int:
    """Answer what was asked."""
    return given


def answer(to: Connection, given: int) -> None:
    """Answer through a pipe."""
    to.send(echo(given))
