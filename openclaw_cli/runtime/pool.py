"""All that belongs to one agent: its zygote, its spare instance, its sessions, its requests."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

from openclaw_cli.agents.spec import AgentSpec
from openclaw_cli.errors import OpenclawError
from openclaw_cli.runtime import request as words
from openclaw_cli.runtime.backoff import Backoff
from openclaw_cli.runtime.context import text
from openclaw_cli.runtime.crowd import most_threads
from openclaw_cli.runtime.hearing import Hearing
from openclaw_cli.runtime.host import Ended, Zygote
from openclaw_cli.runtime.instance import Answer, Instance
from openclaw_cli.runtime.means import Counters, Means
from openclaw_cli.runtime.plan import keeps
from openclaw_cli.runtime.request import Given, Refused, Reply, Request
from openclaw_cli.runtime.session import Session, Sessions
from openclaw_cli.runtime.slots import Room
from openclaw_cli.runtime.wire import Message

SINGLE = "singleton"
"""The thread of an agent that has one instance for all."""

_CRASHES = ("crashed", "died")  # one that is lost is its zygote's crash, counted once
_NO_LIMIT = 7 * 24 * 3600.0  # seconds; every request has a time limit


class Pool:
    """One agent at work."""

    def __init__(self, spec: AgentSpec, plan: Message, means: Means) -> None:
        self.spec = spec
        self.plan = plan
        self.means = means
        self.room = Room(spec.concurrency)
        self.sessions = Sessions(
            spec.name, spec.concurrency, spec.idle_timeout, spec.max_age, self._session_ended
        )
        self.backoff = Backoff(spec.crashes, spec.crash_period)
        self.counters = Counters()
        self.running: dict[tuple[Zygote, int], tuple[Instance, Request]] = {}
        self.zygote: Zygote | None = None
        self.old: set[Zygote] = set()
        self.trouble = ""
        self.closing = False
        self.stopped = False
        self.hearing = Hearing(spec, means)
        self._spare: Instance | None = None
        self._starting: asyncio.Task[Zygote] | None = None

    # --- requests ---

    async def ask(self, request: Request) -> Reply:
        """Answer a request, whatever becomes of it."""
        began = time.monotonic()
        try:
            reply = await self._admitted(request)
        except Refused as refused:
            reply = Reply(self.spec.name, request.id, refused.outcome, error=refused.message)
            reply.retry, reply.hint = refused.retry, refused.hint
        except OpenclawError as refused:
            reply = Reply(self.spec.name, request.id, refused.kind, error=refused.message)
            reply.hint = refused.hint
        except asyncio.CancelledError:
            reply = Reply(self.spec.name, request.id, words.CANCELLED, error=words.UNWANTED)
            reply.seconds = time.monotonic() - began
            self._over(request, reply, began)
            raise
        return self._over(request, reply, began)

    def _over(self, request: Request, reply: Reply, began: float) -> Reply:
        """Count and tell what became of a request."""
        reply.session = reply.session or request.session
        reply.waited = max(0.0, time.monotonic() - began - reply.seconds)
        self.counters.count(reply.outcome)
        self.counters.seconds += reply.seconds
        self._happened(
            "agent_exec",
            request,
            outcome=reply.outcome,
            error=reply.error,
            pid=reply.pid,
            ms=round(reply.seconds * 1000, 1),
            waited_ms=round(reply.waited * 1000, 1),
        )
        return reply

    async def _admitted(self, request: Request) -> Reply:
        if self.closing:
            raise Refused(words.UNAVAILABLE, "the gateway is stopping", retry=1)
        if self.stopped:
            raise Refused(
                words.UNAVAILABLE,
                f"{self.spec.name} is stopped",
                hint=f"openclaw agents restart {self.spec.name}",
            )
        if self.spec.name in request.ancestors:
            chain = " -> ".join([*request.ancestors, self.spec.name])
            raise Refused("loop", f"a call that comes back to where it began: {chain}")
        self._rest(self.backoff.wait(time.monotonic()))
        try:
            rooms = self._rooms(request)
            line, patience = self.spec.queue_limit, self.spec.queue_timeout or _NO_LIMIT
            if request.seconds:
                patience = min(patience, request.seconds)
            await self.means.slots.take(self.spec.name, rooms, line=line, seconds=patience)
            try:
                return await self._run(request)
            finally:
                self.means.slots.leave(rooms)
        finally:
            self.backoff.well()

    def _rest(self, seconds: float) -> None:
        """Refuse whoever comes while it rests for so long."""
        if seconds > 0:
            raise Refused(
                words.UNAVAILABLE,
                f"{self.spec.name} crashed too often and rests",
                retry=seconds,
                hint=f"openclaw agents restart {self.spec.name}",
            )

    def _rooms(self, request: Request) -> list[Room]:
        """Return where it needs a place.

        A call of another agent's needs one only here, lest it waits for what its caller has.
        """
        rooms = [self.room]
        if not request.ancestors:
            rooms.append(self.means.everywhere)
            if self.spec.pool in self.means.rooms:
                rooms.append(self.means.rooms[self.spec.pool])
        return rooms

    async def _run(self, request: Request) -> Reply:
        limit = self.spec.timeout or _NO_LIMIT
        seconds = min(limit, request.seconds) if request.seconds else limit
        began = time.monotonic()
        given = await self.means.granted(self.spec, request)
        left = seconds - (time.monotonic() - began)
        if left <= 0:
            raise Refused(words.TIMEOUT, "its time was over before it began")
        key = request.session if self.spec.is_thread_bound else SINGLE
        if key and (self.spec.keeps_session or not self.spec.is_thread_bound):
            reply = await self._turn_of_session(request, key, given, left)
        else:
            reply = await self._once(request, given, left)
        reply.seconds = time.monotonic() - began
        return reply

    async def _once(self, request: Request, given: Given, seconds: float) -> Reply:
        instance = await self._instance()
        answer = await self._asked(instance, request, given, seconds, turn=1)
        if instance.alive and keeps(self.spec):
            instance.dismiss()
        await instance.until_gone()  # its place is free only then
        return self._reply(request, answer, instance)

    async def _turn_of_session(
        self, request: Request, key: str, given: Given, seconds: float
    ) -> Reply:
        session = self.sessions.get(key, time.time())
        session.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await session.lock.acquire()
        except TimeoutError:
            raise Refused(words.TIMEOUT, f"the turn before it in {key} took too long") from None
        finally:
            session.waiting -= 1
        try:
            return await self._turn(session, request, given, seconds)
        finally:
            session.lock.release()

    async def _turn(
        self, session: Session, request: Request, given: Given, seconds: float
    ) -> Reply:
        fresh = session.instance is None or not session.instance.alive
        if fresh:
            session.instance = await self._instance()
            self._happened("session_bound", request, thread=session.key, turns=session.turns)
        instance = session.instance
        assert instance is not None  # noqa: S101  bound just now
        session.turns += 1
        past = session.transcript if fresh else None
        answer = await self._asked(
            instance, request, given, seconds, turn=session.turns, transcript=past
        )
        session.used = time.time()
        if answer.outcome == words.OK:
            session.remember(request.input, answer.output)
        else:
            await asyncio.sleep(0)  # its end may be known by now
        await instance.until_known()
        if not keeps(self.spec) or answer.outcome in ("timeout", "memory_limit"):
            await instance.until_gone()
        if not instance.alive:
            session.instance = None
        reply = self._reply(request, answer, instance)
        reply.session = session.key
        reply.resumed = not fresh or session.turns == 1 or bool(past)
        return reply

    async def _asked(
        self,
        instance: Instance,
        request: Request,
        given: Given,
        seconds: float,
        *,
        turn: int,
        transcript: list[dict[str, Any]] | None = None,
    ) -> Answer:
        message = {
            "request_id": request.id,
            "session": request.session,
            "turn": turn,
            "seconds": seconds,
            "input": request.input,
            "threads": most_threads(self.plan, self.means.crowd),
            "secrets": {name: text(value) for name, value in given.values.items()},
            "environ": dict(given.environ),
        }
        if transcript:
            message["transcript"] = transcript
        place = (instance.zygote, instance.number)
        self.running[place] = (instance, request)
        self.hearing.listen(instance, request, given)
        until = time.monotonic() + seconds
        try:
            return await instance.turn(
                message,
                self.spec.grace,
                lambda said: self.hearing.heard(instance, request, said, until),
            )
        except asyncio.CancelledError:
            instance.stop(words.CANCELLED)
            raise
        finally:
            del self.running[place]

    def _reply(self, request: Request, answer: Answer, instance: Instance) -> Reply:
        if answer.outcome in _CRASHES:
            self.backoff.crash(time.monotonic())
        return Reply(
            self.spec.name,
            request.id,
            answer.outcome,
            output=answer.output,
            error=answer.error,
            hint=answer.hint,
            pid=instance.pid,
        )

    # --- instances and zygotes ---

    async def _instance(self) -> Instance:
        """Return an instance that waits for a request: the spare one, else a new one."""
        zygote = await self._living()
        instance, self._spare = self._spare, None
        if instance is None or not instance.alive or instance.zygote is not zygote:
            instance = zygote.spawn()
        if self._ahead and not self.closing:
            with suppress(OpenclawError):
                self._spare = zygote.spawn()
        self.means.watcher.happened(
            "thread_spawn", self.spec.name, instance=instance.number, pid=instance.pid
        )
        instance.told.append(lambda ended: self._gone(instance, ended))
        return instance

    def _gone(self, instance: Instance, ended: Ended) -> None:
        self.counters.strays += ended.strays
        self.counters.cpu_seconds += ended.cpu_seconds
        self.counters.peak_bytes = max(self.counters.peak_bytes, ended.peak_bytes)
        self.means.watcher.happened(
            "instance_end",
            self.spec.name,
            instance=instance.number,
            pid=instance.pid,
            seconds=round(time.time() - instance.began, 3),
            peak_bytes=ended.peak_bytes,
            cpu_seconds=round(ended.cpu_seconds, 4),
            strays=ended.strays,
        )

    async def _living(self) -> Zygote:
        """Return the zygote; a new one where there is none, or where it has died, even just now."""
        zygote = self.zygote
        while zygote is None or not zygote.alive:
            self._rest(self.backoff.until - time.monotonic())
            zygote = await self._started()
        return zygote

    async def _started(self) -> Zygote:
        """Return the zygote, started by whoever came first."""
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())
            self._starting.add_done_callback(lambda _done: setattr(self, "_starting", None))
        return await asyncio.shield(self._starting)

    async def _start(self) -> Zygote:
        zygote = await self._new_zygote()
        if self.closing:
            zygote.kill()
            raise Refused(words.UNAVAILABLE, "the gateway is stopping", retry=1)
        self.zygote = zygote
        return zygote

    async def _new_zygote(self) -> Zygote:
        delegated = self.means.delegated
        zygote = Zygote(
            self.spec.name,
            self.plan,
            lambda number, piece: self.hearing.printed(zygote, number, piece),
            delegated.groups(self.plan) if delegated else None,
        )
        began = time.monotonic()
        try:
            await zygote.start(self.means.environ)
        except OpenclawError as refused:
            self.trouble = refused.message
            self.backoff.crash(time.monotonic())
            self.means.watcher.happened(
                "zygote_failed", self.spec.name, error=refused.message, hint=refused.hint
            )
            raise
        self.trouble = ""
        self.means.watcher.happened(
            "zygote_start",
            self.spec.name,
            pid=zygote.pid,
            ms=round((time.monotonic() - began) * 1000, 1),
            threads=zygote.threads,
        )
        zygote.gone.add_done_callback(lambda _done: self._zygote_gone(zygote))
        return zygote

    def _zygote_gone(self, zygote: Zygote) -> None:
        expected = zygote in self.old or self.closing or self.stopped
        self.old.discard(zygote)
        if zygote is self.zygote:
            self.zygote = None
        if not expected:
            self.backoff.crash(time.monotonic())
        self.means.watcher.happened("zygote_end", self.spec.name, pid=zygote.pid, expected=expected)

    async def start(self) -> None:
        """Have everything ready for the first request."""
        zygote = await self._living()
        if self._ahead and self._spare is None:
            self._spare = zygote.spawn()

    async def restart(self, *, now: bool = False) -> float:
        """Start a new zygote, switch to it, and let the old one end when its instances have.

        Nothing is refused meanwhile. Return how long it took; raises what starting raises, and
        then the old one stays.
        """
        began = time.monotonic()
        self.backoff.reset()
        if self._starting is not None:
            await asyncio.shield(self._starting)
        new = await self._new_zygote()
        old, self.zygote = self.zygote, new
        spare, self._spare = self._spare, new.spawn() if self._ahead else None
        self.counters.restarts += 1
        self.sessions.detach()
        if old is not None:
            self.old.add(old)
            if spare is not None:
                spare.dismiss()
            if now:
                for instance, _ in self.on(old):
                    instance.stop("restart")
            old.end()
        return time.monotonic() - began

    async def bind(self, thread: str) -> Session:
        """Bind a thread to an instance, unless it is bound already."""
        session = self.sessions.get(thread, time.time())
        async with session.lock:
            alive = session.instance is not None and session.instance.alive
            if not alive and keeps(self.spec):
                session.instance = await self._instance()
                self.means.watcher.happened(
                    "session_bound",
                    self.spec.name,
                    thread=thread,
                    pid=session.instance.pid,
                    turns=session.turns,
                )
        return session

    def stop_thread(self, thread: str) -> bool:
        """End what a thread does now, its session with it; tell whether there was anything."""
        running = [each for each, asked in self.running.values() if asked.session == thread]
        for instance in running:
            instance.stop("closed")
        return self.sessions.end(thread, "stopped") or bool(running)

    async def stop(self) -> None:
        """End all that it does, until it is restarted."""
        self.stopped = True
        for key in list(self.sessions.known):
            self.sessions.end(key, "stopped")
        for instance, _ in self.running.values():
            instance.stop("closed")
        zygote, self.zygote, self._spare = self.zygote, None, None
        if zygote is not None:
            zygote.kill()
            await zygote.buried()

    def on(self, zygote: Zygote) -> list[tuple[Instance, Request]]:
        """Return the running instances of a zygote with their requests."""
        return [each for (owner, _), each in self.running.items() if owner is zygote]

    async def close(self) -> None:
        """End it: no new request, the instances, the zygotes."""
        self.closing = True
        if self._starting is not None:
            with suppress(OpenclawError):
                await asyncio.shield(self._starting)
        for zygote in [*self.old, *([self.zygote] if self.zygote else [])]:
            zygote.kill()
            await zygote.buried()
        self.hearing.close()

    # --- small things ---

    @property
    def _ahead(self) -> bool:
        return self.spec.preload and self.means.ahead

    def _session_ended(self, session: Session, why: str) -> None:
        self.means.watcher.happened(
            "session_end", self.spec.name, thread=session.key, why=why, turns=session.turns
        )

    def _happened(self, event: str, request: Request, **fields: Any) -> None:  # noqa: ANN401
        shown = {"request": request.id, "thread": request.session or None, **fields}
        self.means.watcher.happened(event, self.spec.name, **shown)
