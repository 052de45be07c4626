"""What happens to agents, told to the log, the metrics and the trail."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from openclaw_cli.duration import absolute
from openclaw_cli.errors import OpenclawError
from openclaw_cli.gateway.log import Log
from openclaw_cli.gateway.metrics import Metrics

TRAILED = frozenset(("thread_spawn", "agent_exec"))
"""Events that the trail has, too: those whose names people already ask for."""

EVENTS = 100
"""Last events that are kept for the status page."""

OFTEN = 60
"""Times a minute that something is told which anybody can cause, without a token too."""

_MINUTE = 60.0
_QUIET = frozenset(("thread_spawn", "agent_exec", "instance_end", "printed"))
_WAITS = frozenset(("thread_spawn", "instance_end"))  # for the request that they belong to
_WAIT_SECONDS = 0.1
_TOGETHER = 0.2  # seconds of records that are written to the trail at once


class Watch:
    """Takes every event of every agent, and what instances print."""

    def __init__(self, log: Log, metrics: Metrics) -> None:
        self.log = log
        self.metrics = metrics
        self.record: Callable[[list[dict[str, Any]]], None] | None = None
        self.last: deque[dict[str, Any]] = deque(maxlen=EVENTS)
        self.heard: list[Callable[[str, str, dict[str, Any]], None]] = []
        self._flushing: asyncio.TimerHandle | None = None
        self._records: list[dict[str, Any]] = []
        self._writing: asyncio.Task[None] | None = None
        self._often: dict[str, tuple[float, int]] = {}

    def happened(self, event: str, agent: str, **fields: Any) -> None:  # noqa: ANN401
        """Take note of an event."""
        if event in _WAITS:
            self.log.add(event, agent, fields)
            if self._flushing is None:
                loop = asyncio.get_running_loop()
                self._flushing = loop.call_later(_WAIT_SECONDS, self._flush_log)
        else:
            self.log.write(event, agent, fields)
        if event == "agent_exec":
            self.metrics.answered(agent, fields["outcome"], fields["ms"] / 1000)
        if event in TRAILED:
            self._trail(event, agent, fields)
        if event not in _QUIET or fields.get("outcome", "ok") != "ok":
            at = absolute(time.time())
            self.last.append({"at": at, "event": event, "agent": agent, **fields})
        for each in self.heard:
            each(event, agent, fields)

    def often(self, event: str, **fields: Any) -> None:  # noqa: ANN401
        """Take note of what anybody can cause as often as they like: so many times a minute.

        How many were left out is told with the next one: nobody writes the log full with them, so
        that what was in it before is gone.
        """
        now = time.monotonic()
        since, count = self._often.get(event, (now, 0))
        if now - since >= _MINUTE:
            left_out = count - OFTEN
            fields |= {"left_out": left_out} if left_out > 0 else {}
            since, count = now, 0
        self._often[event] = since, count + 1
        if count < OFTEN:
            self.happened(event, "", **fields)

    def printed(self, agent: str, instance: int, request: str, line: str) -> None:
        """Write a line that an instance printed, under its request's id."""
        fields = {"instance": instance or None, "request": request, "message": line}
        self.log.write("printed", agent, fields)

    def _trail(self, event: str, agent: str, fields: dict[str, Any]) -> None:
        if self.record is None:
            return
        actor: dict[str, Any] = {"via": "agent", "agent": agent}
        if fields.get("thread"):
            actor["thread"] = fields["thread"]
        kept = ("outcome", "ms", "request", "pid")
        record = {"kind": event, "name": agent, **{n: fields[n] for n in kept if fields.get(n)}}
        self._records.append({**record, "actor": actor})
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write_soon())

    def _flush_log(self) -> None:
        self._flushing = None
        self.log.flush()

    async def _write_soon(self) -> None:
        await asyncio.sleep(_TOGETHER)
        await self.flush()

    async def flush(self) -> None:
        """Write what waits to the trail, in one go; a trail that cannot be written is told."""
        while self._records and self.record is not None:
            waiting, self._records = self._records, []
            try:
                await asyncio.to_thread(self.record, waiting)
            except OpenclawError as refused:
                self.log.write("trail_failed", "", {"error": refused.message, "lost": len(waiting)})
                return
