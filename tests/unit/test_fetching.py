"""Fetching: copies where they will do, one question for many, a failed backend left alone."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from openclaw_cli.cache import Cache, Pause, clear
from openclaw_cli.errors import (
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.fetching import Fetcher, Wish
from openclaw_cli.model import Secret, SecretValue, Version
from openclaw_cli.names import Reference, parse

KEY = parse("far://key")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Far:
    """A backend that counts its questions in a file, so that processes can share it."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.answer: bytes | OpenclawError | Exception = b"value"

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
        del version, field
        with self.log.open("a") as log:
            log.write(path + "\n")
        if isinstance(self.answer, Exception):
            raise self.answer
        return Secret(SecretValue(self.answer), Version("7"), "far")

    @property
    def asked(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []


class FarBatch(Far):
    def get_many(self, paths: Sequence[str]) -> dict[str, Secret | OpenclawError]:
        with self.log.open("a") as log:
            log.write("+".join(paths) + "\n")
        return {path: Secret(SecretValue(path.encode()), Version("1"), "far") for path in paths}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(str(tmp_path / "cache"), b"k" * 32, b"s" * 16)


@pytest.fixture
def far(tmp_path: Path) -> Far:
    return Far(tmp_path / "asked")


@pytest.fixture
def fetch(cache: Cache, far: Far, clock: Clock) -> Callable[..., Secret | OpenclawError]:
    fetcher = Fetcher(cache, {"far": far}.__getitem__, clock=clock)

    def one(wish: Wish | None = None, reference: Reference = KEY) -> Secret | OpenclawError:
        return fetcher.fetch([reference], wish or Wish())[reference]

    return one


Fetch = Callable[..., Secret | OpenclawError]


def given(answer: Secret | OpenclawError) -> bytes:
    assert isinstance(answer, Secret), answer
    return answer.value.reveal()


def test_a_fresh_copy_answers_and_says_its_age(fetch: Fetch, far: Far, clock: Clock) -> None:
    assert given(fetch()) == b"value"
    clock.now += 299
    again = fetch()
    assert (given(again), again.age) == (b"value", 299)  # type: ignore[union-attr]
    assert far.asked == ["key"]


def test_an_old_copy_is_asked_for_again(fetch: Fetch, far: Far, clock: Clock) -> None:
    fetch()
    clock.now += 301
    far.answer = b"new"
    assert given(fetch()) == b"new"
    assert len(far.asked) == 2


def test_a_copy_never_outlives_its_time_when_the_clock_goes_back(
    fetch: Fetch, far: Far, clock: Clock
) -> None:
    fetch()
    clock.now -= 3600
    fetch()
    assert len(far.asked) == 2


def test_without_the_cache_the_backend_is_asked(fetch: Fetch, far: Far, clock: Clock) -> None:
    fetch()
    clock.now += 1
    fetch(Wish(fresh=0))
    assert len(far.asked) == 2


def test_what_is_not_there_is_believed_for_ten_seconds(
    fetch: Fetch, far: Far, clock: Clock
) -> None:
    far.answer = NotFoundError("no")
    for _ in range(3):
        assert isinstance(fetch(), NotFoundError)
    assert len(far.asked) == 1
    clock.now += 11
    far.answer = b"there now"
    assert given(fetch()) == b"there now"


def test_an_older_copy_stands_in_for_a_backend_that_is_away(
    fetch: Fetch, far: Far, clock: Clock
) -> None:
    fetch()
    clock.now += 4000
    far.answer = TemporaryError("away")
    answer = fetch()
    assert given(answer) == b"value"
    assert (answer.age, answer.stale) == (4000, True)  # type: ignore[union-attr]


def test_a_copy_older_than_is_allowed_does_not_stand_in(
    fetch: Fetch, far: Far, clock: Clock
) -> None:
    fetch()
    clock.now += 4000
    far.answer = TemporaryError("away")
    assert isinstance(fetch(Wish(stale=3600)), TemporaryError)


def test_a_denial_is_never_covered_by_a_copy(fetch: Fetch, far: Far, clock: Clock) -> None:
    fetch()
    clock.now += 400
    far.answer = RefusedError("no more")
    assert isinstance(fetch(), RefusedError)


def test_offline_asks_nobody(fetch: Fetch, far: Far, clock: Clock) -> None:
    assert isinstance(fetch(Wish(offline=True)), TemporaryError)
    fetch()
    clock.now += 4000
    assert given(fetch(Wish(offline=True))) == b"value"
    assert len(far.asked) == 1


def test_two_hundred_restarts_against_a_throttle_ask_at_most_five_times(
    cache: Cache, far: Far, clock: Clock
) -> None:
    far.answer = TemporaryError("429")
    for _ in range(200):
        answer = Fetcher(cache, lambda _name: far, clock=clock).fetch([KEY], Wish())[KEY]
        assert isinstance(answer, TemporaryError)
        clock.now += 0.1
    assert 1 <= len(far.asked) <= 5


def test_the_pause_grows_and_ends_with_a_success(
    fetch: Fetch, far: Far, cache: Cache, clock: Clock
) -> None:
    far.answer = TemporaryError("away")
    lengths = []
    for _ in range(8):
        fetch()
        lengths.append(cache.pause("far").until - clock.now)
        clock.now = cache.pause("far").until
    assert lengths == [5, 10, 20, 40, 80, 160, 300, 300]
    far.answer = b"back"
    assert given(fetch()) == b"back"
    assert cache.pause("far").failures == 0


def test_the_pause_is_as_long_as_the_service_asks_within_bounds() -> None:
    assert Pause().failed(100, asked_for=60).until == 160
    assert Pause().failed(100, asked_for=1e9).until == 400


def test_a_secret_may_have_copies_of_its_own_age(fetch: Fetch, far: Far, clock: Clock) -> None:
    other = parse("far://other")
    wish = Wish(fresh=10)
    wish.own = {str(other): 1000.0}
    for _ in range(2):
        fetch(wish)
        fetch(wish, other)
        clock.now += 11
    assert far.asked == ["key", "other", "key"]
    wish.at_most(5)
    fetch(wish, other)
    assert far.asked[3:] == ["other"]


def test_fifty_processes_at_once_ask_once(cache: Cache, far: Far) -> None:
    children = []
    for _ in range(50):
        pid = os.fork()
        if not pid:
            answer = Fetcher(cache, lambda _name: far).fetch([KEY], Wish())[KEY]
            os._exit(0 if isinstance(answer, Secret) else 1)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 50
    assert far.asked == ["key"]


def test_many_are_asked_for_in_one_question(cache: Cache, tmp_path: Path) -> None:
    far = FarBatch(tmp_path / "asked")
    wanted = [parse(f"far://{name}") for name in ("a", "b", "c")]
    answers = Fetcher(cache, lambda _name: far).fetch(wanted, Wish())
    assert [given(answers[each]) for each in wanted] == [b"a", b"b", b"c"]
    assert far.asked == ["a+b+c"]


def test_a_backend_of_somebody_else_that_breaks_is_a_refusal_without_its_words(
    fetch: Fetch, far: Far
) -> None:
    far.answer = ZeroDivisionError("hunter2")
    answer = fetch()
    assert isinstance(answer, RefusedError)
    assert "hunter2" not in answer.message


def test_copies_are_sealed_and_private(fetch: Fetch, tmp_path: Path) -> None:
    fetch()
    files = [path for path in (tmp_path / "cache").iterdir() if "flight" not in path.name]
    assert len(files) == 1
    assert files[0].stat().st_mode & 0o777 == 0o600
    content = files[0].read_bytes() + files[0].name.encode()
    assert b"value" not in content
    assert b"key" not in content


def test_a_copy_of_another_key_or_another_name_is_no_copy(
    fetch: Fetch, cache: Cache, tmp_path: Path
) -> None:
    fetch()
    assert Cache(str(tmp_path / "cache"), b"x" * 32, b"s" * 16).get(KEY) is None
    (file,) = [path for path in (tmp_path / "cache").iterdir() if "flight" not in path.name]
    flipped = bytearray(file.read_bytes())
    flipped[40] ^= 1
    file.write_bytes(flipped)
    assert cache.get(KEY) is None


def test_clearing_leaves_nothing_to_read(fetch: Fetch, cache: Cache, tmp_path: Path) -> None:
    fetch()
    assert clear(str(tmp_path / "cache")) == 1
    assert cache.get(KEY) is None


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path, far: Far) -> None:
    cache = Cache(str(tmp_path / "cache"), b"k" * 32, b"s" * 16)
    (tmp_path / "cache").write_text("a file is in the way")
    answer = Fetcher(cache, lambda _name: far).fetch([KEY], Wish())[KEY]
    assert given(answer) == b"value"


def test_a_change_forgets_every_copy_of_its_path_and_those_on_their_way(
    cache: Cache, far: Far
) -> None:
    class Slow(Far):
        def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
            found = super().get(path, version=version, field=field)
            cache.changed(KEY)  # somebody changes it while we are answered
            return found

    slow = Slow(far.log)
    Fetcher(cache, lambda _name: slow).fetch([KEY], Wish())
    assert cache.get(KEY) is None
    fetcher = Fetcher(cache, lambda _name: far)
    field = parse("far://key#field")
    fetcher.fetch([KEY, field], Wish())
    assert cache.get(field) is not None
    cache.changed(KEY)
    assert cache.get(field) is None
    assert cache.get(KEY) is None


def test_after_a_denial_no_copy_answers_any_more(fetch: Fetch, far: Far, clock: Clock) -> None:
    fetch()
    far.answer = DeniedError("revoked")
    assert isinstance(fetch(Wish(fresh=0)), DeniedError)
    clock.now += 1
    far.answer = TemporaryError("away")
    assert isinstance(fetch(), TemporaryError)


def test_another_account_has_other_copies(tmp_path: Path, far: Far) -> None:
    account = "staging"
    cache = Cache(str(tmp_path / "cache"), b"k" * 32, b"s" * 16, lambda _backend: account)
    fetcher = Fetcher(cache, lambda _name: far)
    fetcher.fetch([KEY], Wish())
    account = "production"
    far.answer = b"another"
    assert given(fetcher.fetch([KEY], Wish())[KEY]) == b"another"


def test_a_backend_that_hangs_takes_only_its_own_answers(cache: Cache, far: Far) -> None:
    class Hanging(Far):
        def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
            time.sleep(2)
            return super().get(path, version=version, field=field)

    hanging = Hanging(far.log)
    wish = Wish()
    wish.until = time.monotonic() + 0.2
    other = parse("slow://key")
    began = time.monotonic()
    found = Fetcher(cache, {"far": far, "slow": hanging}.__getitem__).fetch([KEY, other], wish)
    assert time.monotonic() - began < 1.5
    assert given(found[KEY]) == b"value"
    assert isinstance(found[other], TemporaryError)


def test_a_backend_that_is_opened_too_late_is_not_asked(cache: Cache, far: Far) -> None:
    opening = threading.Event()

    def opened(_name: str) -> Far:
        opening.wait(10)
        return far

    wish = Wish()
    wish.until = time.monotonic() + 0.1
    found = Fetcher(cache, opened).fetch([KEY], wish)
    assert isinstance(found[KEY], TemporaryError)
    opening.set()
    time.sleep(0.3)
    assert far.asked == []


def test_a_third_party_batch_that_breaks_is_a_refusal_for_each(cache: Cache, far: Far) -> None:
    class Broken(Far):
        def get_many(self, paths: Sequence[str]) -> dict[str, Secret]:
            raise KeyError(paths[0])

    wanted = [parse("far://a"), parse("far://b")]
    found = Fetcher(cache, lambda _name: Broken(far.log)).fetch(wanted, Wish())
    assert all(isinstance(each, RefusedError) for each in found.values())


FIELDS = [parse(f"far://key#field-{number}") for number in range(20)]


def test_fields_are_asked_for_at_once_where_the_backend_lets_one(cache: Cache, far: Far) -> None:
    class Shared(Far):
        AT_ONCE = 8

        def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
            time.sleep(0.1)
            return super().get(path, version=version, field=field)

    shared = Shared(far.log)
    began = time.monotonic()
    found = Fetcher(cache, lambda _name: shared).fetch(FIELDS, Wish())
    assert time.monotonic() - began < 1.5  # one by one it is more than 2
    assert {given(each) for each in found.values()} == {b"value"}
    assert len(far.asked) == len(FIELDS)


def test_a_backend_that_is_away_is_not_asked_for_each_field(cache: Cache, far: Far) -> None:
    far.answer = TemporaryError("away")
    found = Fetcher(cache, lambda _name: far).fetch(FIELDS, Wish())
    assert len(far.asked) == 1
    assert all(isinstance(each, TemporaryError) for each in found.values())
    assert set(found) == set(FIELDS)
