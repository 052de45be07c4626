"""`openclaw agents logs`: the lines of `logs/agent.log` for people, or as they are with --json."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from openclaw_cli.agents.spec import unknown_agent
from openclaw_cli.errors import NotFoundError
from openclaw_cli.gateway import paths
from openclaw_cli.gateway.log import READING, opened

if TYPE_CHECKING:
    from openclaw_cli.cli.session import Session

_POLL = 0.2
_FIRST = ("at", "kind", "event", "agent", "thread", "request")


def show(session: Session, wanted: Mapping[str, str], *, lines: int, follow: bool) -> None:
    """Write the last lines that fit, and with `follow` those that come."""
    path = paths.agent_log(session.home)
    if not os.path.exists(path) and not follow:
        raise NotFoundError(f"there is no log yet: {path}", hint="openclaw gateway start")
    last: deque[dict[str, Any]] = deque(maxlen=max(lines, 0))
    for older in (f"{path}.1", path):
        with suppress(FileNotFoundError), _opened(older) as source:
            last.extend(each for each in map(_read, source) if _fits(each, wanted))
    for each in last:
        _write(session, each)
    agent = wanted.get("agent", "")
    if agent and not (last or follow or agent in session.configuration.agents):
        raise unknown_agent(agent, session.configuration.agents)
    if follow:
        for line in _following(path):
            each = _read(line)
            if _fits(each, wanted):
                _write(session, each)


def _following(path: str) -> Iterator[str]:
    """Give each line that is added, also after the file was rotated."""
    source = _opened(path) if os.path.exists(path) else None
    if source is not None:
        source.seek(0, os.SEEK_END)
    left = ""
    while True:
        piece = source.readline() if source is not None else ""
        if piece:
            left += piece
            if left.endswith("\n"):
                yield left
                left = ""
            continue
        time.sleep(_POLL)
        with suppress(OSError):
            if source is None or os.stat(path).st_ino != os.fstat(source.fileno()).st_ino:
                if source is not None:
                    source.close()
                source = _opened(path)


def _opened(path: str) -> TextIO:
    return open(opened(path, READING), encoding="utf-8", errors="replace")


def _read(line: str) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        found = json.loads(line)
        if isinstance(found, dict):
            return found
    return {}


def _fits(line: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return bool(line) and all(line.get(name) == value for name, value in wanted.items())


def _write(session: Session, line: Mapping[str, Any]) -> None:
    if session.as_json:
        session.output.json_line(line)
        return
    head = [
        str(line.get("at", "")),
        str(line.get("agent") or "gateway"),
        str(line.get("event", "")),
    ]
    marks = [f"{name}={line[name]}" for name in ("thread", "request") if name in line]
    rest = [f"{name}={_said(value)}" for name, value in line.items() if name not in _FIRST]
    session.output.line("  ".join([*head, *marks, *rest]))


def _said(value: object) -> str:
    """Write a value as the log has it, a text without its quotes."""
    return value if isinstance(value, str) else json.dumps(value)
