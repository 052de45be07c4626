"""A request to an agent, and what became of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from openclaw_cli.errors import OpenclawError

OK = "ok"
BUSY = "busy"
UNAVAILABLE = "unavailable"
TIMEOUT = "timeout"
MEMORY = "memory_limit"
CANCELLED = "cancelled"
UNWANTED = "nobody waited for it any more"

RETRY_SECONDS = 1


def new_id() -> str:
    """Return an id that no other request has."""
    return secrets.token_hex(8)


def is_id(text: str) -> bool:
    """Tell whether a text is such an id."""
    return len(text) == 16 and set(text) <= set("0123456789abcdef")  # noqa: PLR2004


@dataclass(slots=True)
class Request:
    """What is asked of an agent.

    `ancestors` are the agents whose calls led here, `seconds` what time they have left. `emit`
    takes parts of the answer as they come, and `again` is called where those before no longer
    hold; `peer` says from where it came, for the trail.
    """

    agent: str
    input: Any
    id: str = field(default_factory=new_id)
    session: str = ""
    seconds: float = 0.0
    ancestors: tuple[str, ...] = ()
    emit: Callable[[str], None] | None = None
    again: Callable[[], None] | None = None
    peer: str = ""


@dataclass(slots=True)
class Reply:
    """What became of a request: exactly one for each that was accepted or refused.

    `outcome` is `ok` or the word for what went wrong; `retry` says after how many seconds to try
    again where that makes sense.
    """

    agent: str
    id: str
    outcome: str
    output: Any = None
    error: str = ""
    hint: str = ""
    session: str = ""
    resumed: bool | None = None
    seconds: float = 0.0
    waited: float = 0.0
    retry: float = 0.0
    pid: int = 0


Ask: TypeAlias = Callable[[Request], Coroutine[Any, Any, Reply]]
"""Answers a request, here or elsewhere."""


@dataclass(frozen=True, slots=True)
class Given:
    """The secrets of one request by name, and the variables that some of them are put into."""

    values: Mapping[str, bytes] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)


class Refused(OpenclawError):  # noqa: N818  not a mistake: there is no room, or no time
    """A request that is not taken; `outcome` is the word for why, `retry` when to come again."""

    status = 75
    kind = "temporary"

    def __init__(self, outcome: str, message: str, *, retry: float = 0.0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.outcome = outcome
        self.retry = retry
