"""openclaw from Python: read a secret, ask agents, look after their threads.

    from openclaw_cli.client import get_secret, ask

    key = get_secret("openai-api-key")
    answer = ask("reporter", {"prompt": "what is new?"}, session="trading-001")

Reading works without a gateway and is recorded as any other; the rest asks this user's gateway over
its socket. All of it raises `openclaw_cli.errors.OpenclawError`, whose `hint` says what to do.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from openclaw_cli import assembly, config
from openclaw_cli.errors import OpenclawError, RefusedError, TemporaryError
from openclaw_cli.gateway import talk
from openclaw_cli.home import find
from openclaw_cli.names import parse

PURPOSE = "get"
SECONDS = 24 * 3600.0
"""How long an answer is waited for: each agent has its own time limit, which comes first."""


class AgentError(RefusedError):
    """An agent did not answer as hoped; `outcome` is its word: `timeout`, `memory_limit`, ..."""

    def __init__(self, outcome: str, message: str, *, hint: str = "") -> None:
        super().__init__(message or outcome, hint=hint)
        self.outcome = outcome


def get_secret(name: str) -> str:
    """Return a secret's value as text; bytes that are not UTF-8 come as surrogates.

    `name` may be a reference: `vault://team/db#password`.
    """
    return get_secret_bytes(name).decode(errors="surrogateescape")


def get_secret_bytes(name: str) -> bytes:
    """Return the exact bytes of a secret's value."""
    home = find(os.environ)
    secrets = assembly.secrets(home, config.load(home, os.environ), os.environ)
    return secrets.read(parse(name), purpose=PURPOSE).value.reveal()


def ask(agent: str, input: Any, *, session: str = "") -> Any:  # noqa: A002, ANN401  any JSON
    """Give an agent a request and return its answer; raises `AgentError`.

    Requests of one session reach the same instance, one after the other.
    """
    given: dict[str, Any] = {"input": input}
    if session:
        given["session"] = session
    _, reply = talk.post(find(os.environ), f"/v1/agents/{agent}", given, seconds=SECONDS)
    return _output(reply)


def dispatch(
    agents: Sequence[str],
    input: Any,  # noqa: A002, ANN401  any JSON
    *,
    session: str = "",
) -> str:
    """Give several agents one request at once; return their answers as one text, in this order.

    Each is under its agent's name; one that failed says so.
    """
    given: dict[str, Any] = {"agents": list(agents), "input": input, "coalesce": True}
    if session:
        given["session"] = session
    status, answer = talk.post(find(os.environ), "/v1/dispatch", given, seconds=SECONDS)
    if "output" not in answer:
        raise _refused(status, answer)
    return str(answer["output"])


def spawn(agent: str = "", *, thread: str = "") -> str:
    """Bind a thread to an instance before its first request; return the thread's id."""
    given = {"agent": agent, "thread": thread}
    found = talk.ask(find(os.environ), "agents/spawn", {k: v for k, v in given.items() if v})
    return str(found["thread"])


def close(thread: str) -> None:
    """End a thread when its present turn has ended."""
    talk.ask(find(os.environ), "agents/close", {"thread": thread})


def cleanup(idle: float = 1800.0) -> int:
    """End the threads that were idle for so many seconds; return how many there were."""
    return int(talk.ask(find(os.environ), "agents/cleanup", {"idle": idle})["count"])


def status() -> dict[str, Any]:
    """Return the state of the gateway and its agents, as `agents status --json` has it."""
    return talk.ask(find(os.environ), "status", {"verbose": True})


def _output(reply: dict[str, Any]) -> Any:  # noqa: ANN401  any JSON
    told = reply.get("error", {})
    if "outcome" not in reply:
        raise talk.error(reply)
    if reply["outcome"] != "ok":
        raise AgentError(reply["outcome"], str(told.get("message", "")), hint=str(told.get("hint")))
    return reply["output"]


def _refused(status: int, answer: dict[str, Any]) -> OpenclawError:
    if "error" in answer:
        return talk.error(answer)
    return TemporaryError(f"the gateway answered {status}", hint="try again")
