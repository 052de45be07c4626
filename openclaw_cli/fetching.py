"""Fetching from other backends: one question for many, copies where they will do, no hammering.

The rules: a copy that is fresh enough answers. Else one process asks and the others wait for its
answer. A backend that failed is left alone for a while, longer each time; meanwhile an older copy
stands in, and whoever is answered is told how old it is.
"""

from __future__ import annotations

import time

from openclaw_cli.cache import Copy, Pause
from openclaw_cli.errors import (
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.model import Secret, SecretValue, Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from openclaw_cli.cache import Cache
    from openclaw_cli.names import Reference

    Answers = dict[Reference, Secret | OpenclawError]

    class Asking(Protocol):
        """Is told that a backend is asked, and that it has answered."""

        def began(self, name: str) -> None: ...
        def ended(self, name: str) -> None: ...


NEAR = frozenset(("config", "env", "file", "keyring"))
"""Backends on this machine: they answer as quickly as a copy would, and are never away."""

ABSENT_SECONDS = 10.0
"""How long it is believed that there is nothing."""

KEEP_SECONDS = 365 * 24 * 3600.0
"""The oldest copy that a setting can allow; an older one is thrown away when it is met."""


class Wish:
    """What a caller asks of the answers, in seconds.

    `fresh`: a copy of this age will do without asking, or what `own` says for its reference;
    `stale`: one of this age may stand in when the backend is away; `offline`: ask nobody;
    `until`: the moment (`time.monotonic`) at which all answers must be there, 0 for as long as the
    backends take.
    """

    __slots__ = ("fresh", "offline", "own", "stale", "until")

    def __init__(
        self, *, fresh: float = 300.0, stale: float = 86400.0, offline: bool = False
    ) -> None:
        self.fresh = fresh
        self.stale = stale
        self.offline = offline
        self.own: dict[str, float] = {}
        self.until = 0.0

    def at_most(self, seconds: float) -> None:
        """Let no older copy do without asking."""
        self.fresh = min(self.fresh, seconds)
        self.own = {each: min(age, seconds) for each, age in self.own.items()}

    def age(self, reference: Reference) -> float:
        """Return the age of a copy of this that will do without asking."""
        whole = f"{reference.backend}://{reference.path}"
        return self.own.get(str(reference), self.own.get(whole, self.fresh))


class Fetcher:
    """Asks the backends on behalf of one store; `backend` opens one by name.

    `asking`, where there is somebody to see it, is told who is asked and when that ended.
    """

    def __init__(
        self,
        cache: Cache,
        backend: Callable[[str], Any],
        *,
        clock: Callable[[], float] = time.time,
        asking: Asking | None = None,
    ) -> None:
        self._cache = cache
        self._backend = backend
        self._asking = asking
        self._opened: dict[str, Any] = {}
        self._late: set[str] = set()
        self._clock = clock

    def fetch(self, references: Sequence[Reference], wish: Wish) -> Answers:
        """Return an answer for each reference, each backend asked once, all at the same time."""
        groups: dict[str, list[Reference]] = {}
        for each in references:
            groups.setdefault(each.backend, []).append(each)
        if len(groups) <= 1 and not wish.until:
            return self._from(*groups.popitem(), wish) if groups else {}
        if wish.until and time.monotonic() >= wish.until:
            why = TemporaryError("there was no time left to ask for it", hint="try again")
            return self._stale(list(references), wish, why)
        return self._at_once(groups, wish)

    def _at_once(self, groups: dict[str, list[Reference]], wish: Wish) -> Answers:
        from concurrent.futures import ThreadPoolExecutor
        from concurrent.futures import TimeoutError as TooSlowError

        pool = ThreadPoolExecutor(len(groups))
        asked = {name: pool.submit(self._from, name, groups[name], wish) for name in groups}
        answers: Answers = {}
        for name, future in asked.items():
            left = max(0.0, wish.until - time.monotonic()) if wish.until else None
            try:
                answers.update(future.result(left))
            except TooSlowError:
                answers.update(self._given_up(name, groups[name], wish))
        pool.shutdown(wait=not wish.until)
        return answers

    def _given_up(self, name: str, wanted: list[Reference], wish: Wish) -> Answers:
        """Answer for a backend that is too slow. The next process does not wait for it as well.

        It may only be slow, so the pause is always the shortest one.
        """
        now = self._clock()
        if self._cache.pause(name).until <= now:
            self._cache.set_pause(name, Pause().failed(now))
        self._late.add(name)  # before the look: whoever opens it now looks for that
        give_up = getattr(self._opened.get(name), "give_up", None)
        if give_up is not None:
            give_up()
        return self._stale(wanted, wish, _too_late(name))

    def _from(self, name: str, wanted: list[Reference], wish: Wish) -> Answers:
        if name in NEAR:
            return self._ask(name, wanted)
        began = self._clock()
        answers = self._copies(wanted, wish.age)
        left = [each for each in wanted if each not in answers]
        if not left:
            return answers
        if wish.offline:
            why = TemporaryError("no copy of it is young enough, and --offline asks nobody")
            return answers | self._stale(left, wish, why)
        with _Said(self._asking, name), self._cache.flight(name, left):
            # Whoever had the turn before may have asked for the same; a copy was on its way to the
            # disk, perhaps, when we began.
            waited = self._copies(left, lambda each: max(wish.age(each), self._clock() - began))
            answers |= waited
            left = [each for each in left if each not in waited]
            return answers | self._asked(name, left, wish) if left else answers

    def _asked(self, name: str, wanted: list[Reference], wish: Wish) -> Answers:
        pause = self._cache.pause(name)
        wait = pause.until - self._clock()
        if wait > 0:
            why = TemporaryError(
                f"{name} failed {pause.failures} times and is left alone for {wait:.0f} seconds",
                hint="openclaw doctor",
            )
            return self._stale(wanted, wish, why)
        changes = {each: self._cache.changes(each) for each in wanted}
        answers = self._ask(name, wanted, again=not pause.failures)
        away = [each for each in answers.values() if isinstance(each, TemporaryError)]
        if away:
            asked_for = max(getattr(each, "retry_after", 0.0) for each in away)
            self._cache.set_pause(name, pause.failed(self._clock(), asked_for))
        elif pause.failures:
            self._cache.set_pause(name, Pause())
        return {
            reference: self._kept(reference, answer, changes[reference], wish)
            for reference, answer in answers.items()
        }

    def _ask(self, name: str, wanted: list[Reference], *, again: bool = True) -> Answers:
        """Ask a backend, for all at once where it can; whatever it raises becomes an answer.

        One that failed a moment ago is to try nothing `again` by itself.
        """
        from openclaw_cli.backends.protocols import Batched, Persistent

        try:
            backend = self._opened[name] = self._backend(name)
            if name in self._late:
                return dict.fromkeys(wanted, _too_late(name))
            if isinstance(backend, Persistent):
                backend.persist(again=again)
            plain = [each for each in wanted if each.version is None and not each.field]
            if len(plain) > 1 and isinstance(backend, Batched):
                found = backend.get_many([each.path for each in plain])
                answers: Answers = {each: found[each.path] for each in plain}
            else:
                answers = {}
        except OpenclawError as refused:
            return dict.fromkeys(wanted, refused)
        except Exception as broken:  # noqa: BLE001  a backend of somebody else's
            return dict.fromkeys(wanted, _broken(name, broken))
        return answers | _each(backend, [each for each in wanted if each not in answers])

    def _kept(
        self, reference: Reference, answer: Secret | OpenclawError, changes: int, wish: Wish
    ) -> Secret | OpenclawError:
        now = self._clock()
        if isinstance(answer, Secret):
            value = answer.value.reveal()
            self._cache.put(reference, Copy(value, answer.version.id, now, changes))
        elif isinstance(answer, NotFoundError):
            self._cache.put(reference, Copy(None, "", now, changes))
        elif isinstance(answer, TemporaryError):
            return self._stale([reference], wish, answer)[reference]
        elif isinstance(answer, (DeniedError, RefusedError)):
            # Whoever may not read it any more does not go on reading the copy.
            self._cache.changed(reference)
        return answer

    def _copies(self, wanted: list[Reference], oldest: Callable[[Reference], float]) -> Answers:
        """Return the answers that copies of at most this age give."""
        now = self._clock()
        answers: Answers = {}
        for each in wanted:
            copy = self._cache.get(each)
            if copy is None:
                continue
            age, fresh = copy.age(now), oldest(each) or -1  # 0 is never, for the newest one too
            if age > max(fresh, KEEP_SECONDS):
                self._cache.drop(each)
            if copy.value is None and age <= min(fresh, ABSENT_SECONDS):
                answers[each] = NotFoundError(f"{each} is not there")
            elif copy.value is not None and age <= fresh:
                answers[each] = _from_copy(each, copy, age)
        return answers

    def _stale(self, wanted: list[Reference], wish: Wish, why: OpenclawError) -> Answers:
        """Return older copies where there are some, the reason for the others."""
        now = self._clock()
        answers: Answers = {}
        for each in wanted:
            copy = self._cache.get(each)
            if copy is not None and copy.value is not None and copy.age(now) <= wish.stale:
                secret = _from_copy(each, copy, copy.age(now))
                secret.stale = not wish.offline
                answers[each] = secret
            else:
                answers[each] = why
        return answers


class _Said:
    """Says for a `with` block that a backend is asked, where somebody wants to know."""

    __slots__ = ("_asking", "_name")

    def __init__(self, asking: Asking | None, name: str) -> None:
        self._asking = asking
        self._name = name

    def __enter__(self) -> None:
        """Say that it begins."""
        if self._asking:
            self._asking.began(self._name)

    def __exit__(self, *_exception: object) -> None:
        """Say that it has ended."""
        if self._asking:
            self._asking.ended(self._name)


def _too_late(name: str) -> TemporaryError:
    return TemporaryError(f"{name} did not answer in time", hint="openclaw doctor")


def _each(backend: Any, wanted: list[Reference]) -> Answers:  # noqa: ANN401
    """Ask for versions and fields, which no batch has: one alone, then as many at once as it lets.

    Once it is away, it is not asked for the others: each would wait as long.
    """
    answers: Answers = {}
    at_once = 1
    while wanted:
        now, wanted = wanted[:at_once], wanted[at_once:]
        if len(now) == 1:
            answers[now[0]] = _one(backend, now[0])
        else:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(len(now)) as threads:
                answers.update(zip(now, threads.map(lambda e: _one(backend, e), now), strict=True))
        away = [each for each in map(answers.get, now) if isinstance(each, TemporaryError)]
        if away:
            return answers | dict.fromkeys(wanted, away[0])
        at_once = getattr(backend, "AT_ONCE", 1)
    return answers


def _one(backend: Any, reference: Reference) -> Secret | OpenclawError:  # noqa: ANN401
    try:
        found = backend.get(reference.path, version=reference.version, field=reference.field)
    except OpenclawError as refused:
        return refused
    except Exception as broken:  # noqa: BLE001  a backend of somebody else's
        return _broken(reference.backend, broken)
    return found if isinstance(found, Secret) else RefusedError("the backend gave no secret")


def _broken(backend: str, broken: Exception) -> RefusedError:
    return RefusedError(f"the {backend} backend failed: {type(broken).__name__}")


def _from_copy(reference: Reference, copy: Copy, age: float) -> Secret:
    value = SecretValue(copy.value or b"")
    secret = Secret(value, Version(copy.version), reference.backend)
    secret.age = age
    return secret
