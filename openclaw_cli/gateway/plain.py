"""What goes in and out of the gateway, in plain words: a thread's name, a reply as JSON."""

from __future__ import annotations

import json
from typing import Any

from openclaw_cli.agents.spec import is_thread
from openclaw_cli.errors import UsageError
from openclaw_cli.leanjson import dumps
from openclaw_cli.runtime.request import OK, Reply

STATUS = {
    OK: 200,
    "busy": 429,
    "unavailable": 503,
    "timeout": 504,
    "memory_limit": 507,
    "process_limit": 507,
    "handler_error": 500,
    "loop": 409,
    "closed": 409,
    "denied": 403,
    "not_found": 424,
    "locked": 503,
    "temporary": 503,
    "unrecorded": 503,
    "integrity": 503,
    "config": 500,
}
"""The HTTP status of each outcome."""

FROM_NODE = "X-Openclaw-Node"
"""The header of what a node brings from the broker, with the id that the request has everywhere.

It is answered here, and goes nowhere else.
"""

OTHER_STATUS = 502
"""Of any other: the agent did not answer."""


_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


def written(answer: Any) -> str:  # noqa: ANN401  anything JSON has
    """Write JSON, the short way where it has nothing strange; what JSON has not, as text."""
    try:
        return dumps(answer)
    except (TypeError, ValueError):
        return _encode(answer)


def checked_thread(text: Any) -> str:  # noqa: ANN401  whatever was sent
    """Return a thread's name; raises `UsageError` for what cannot be one."""
    if text in ("", None):
        return ""
    if not isinstance(text, str) or not is_thread(text):
        raise UsageError("this is not a thread's name", hint="letters, digits and . _ : @ / -")
    return text


def plain(reply: Reply) -> dict[str, Any]:
    """Return a reply as JSON has it."""
    answer: dict[str, Any] = {
        "schema": 1,
        "request_id": reply.id,
        "agent": reply.agent,
        "outcome": reply.outcome,
        "ms": round(reply.seconds * 1000, 1),
    }
    if reply.session:
        answer["session"] = reply.session
        if reply.resumed is not None:
            answer["resumed"] = reply.resumed
    if reply.outcome == OK:
        answer["output"] = reply.output
    else:
        answer["error"] = {
            "code": STATUS.get(reply.outcome, OTHER_STATUS),
            "kind": reply.outcome,
            "message": reply.error,
            "hint": reply.hint,
        }
    return answer
