"""Many processes at once: no update is lost, and no reader is told of a rollback that never was."""

from __future__ import annotations

import os
import pickle
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from openclaw_cli.audit.head import check_generation
from openclaw_cli.audit.trail import Trail
from openclaw_cli.errors import IntegrityError, OpenclawError, TemporaryError
from openclaw_cli.files import Directory, Lock
from openclaw_cli.model import SecretValue
from openclaw_cli.names import parse
from openclaw_cli.service import Secrets
from openclaw_cli.store.header import Header
from tests.conftest import NIGHTLY, SCRIPTS
from tests.faults import world
from tests.faults.tap import forked

pytestmark = pytest.mark.slow

WRITERS = 32
UPDATES = 500 if NIGHTLY else 12
SEGMENT = 256 * 1024  # bytes: the trail begins new files meanwhile


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Do it in that many processes, started together; return what each returned."""
    start, go = os.pipe()
    results = []
    children = []
    for number in range(count):
        result = os.memfd_create("result")
        with forked() as pid:
            if pid == 0:
                _worker(start, go, result, work, number)
        children.append(pid)
        results.append(result)
    os.close(start)
    os.close(go)  # every child waits for this end of file
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0
    found = []
    for result in results:
        found.append(pickle.loads(os.pread(result, 1 << 24, 0)))  # noqa: S301  our own child's
        os.close(result)
    return found


def _worker(start: int, go: int, result: int, work: Callable[[int], Any], number: int) -> None:
    status = 1
    try:
        os.close(go)
        os.read(start, 1)
        os.write(result, pickle.dumps(work(number)))
        status = 0
    finally:
        os._exit(status)


def update(root: str, number: int) -> list[int]:
    """Make this writer's updates of one shared secret; return the versions it was promised."""
    made = world.changes(root, segment_bytes=SEGMENT)
    versions: list[int] = []
    while len(versions) < UPDATES:
        value = SecretValue(f"{number}-{len(versions)}".encode())
        try:
            versions.append(made.set("shared", value))
        except TemporaryError:
            continue  # the lock was held for ten seconds: nothing was done, so once more
    return versions


def count_updates(root: str, work: Callable[[int], list[int]]) -> None:
    """Let all writers update, and check that each update is there exactly once."""
    promised = [each for versions in at_once(WRITERS, work) for each in versions]
    assert sorted(promised) == list(range(1, WRITERS * UPDATES + 1))
    assert service_version(root) == str(WRITERS * UPDATES)
    found = world.records(root)
    kept = [each for each in found if each["kind"] == "secret_set" and each.get("outcome") == "ok"]
    assert sorted(int(each["version"]) for each in kept) == sorted(promised)


def service_version(root: str) -> str:
    """Return the version that is current."""
    return world.service(root).read(parse("shared")).version.id


def test_of_32_writers_each_update_is_applied_once(place: str) -> None:
    root = f"{place}/state"
    count_updates(root, lambda number: update(root, number))
    assert len(world.segments(root)) > (10 if NIGHTLY else 0)
    world.check_usable(root)


def test_without_the_lock_updates_are_lost(place: str) -> None:
    root = f"{place}/state"
    world.changes(root).create("other", SecretValue(b"the store is there already"))

    def unlocked(number: int) -> list[int]:
        Directory.lock = lambda *_lock: Lock(-1)  # type: ignore[method-assign]
        done = []
        for _ in range(UPDATES):
            try:
                done += update_once(root, number)
            except (OpenclawError, OSError):
                continue
        return done

    with pytest.raises(AssertionError):
        count_updates(root, unlocked)


def update_once(root: str, number: int) -> list[int]:
    """Make one update."""
    return [world.changes(root).set("shared", SecretValue(b"%d" % number))]


def test_readers_beside_a_writer_see_every_state_in_order_and_no_rollback(place: str) -> None:
    root = f"{place}/state"
    world.changes(root).set("shared", SecretValue(b"0"))
    until = time.monotonic() + (60 if NIGHTLY else 4)

    def work(number: int) -> list[int]:
        seen = []
        while time.monotonic() < until:
            if number < 2:
                seen += update_once(root, number)
            else:
                found = world.service(root).read(parse("shared"))
                seen.append(int(found.version.id))
        return seen

    writes, *_ = results = at_once(6, work)
    assert len(writes) > 20
    for seen in results:
        assert len(seen) > 20
        assert seen == sorted(seen)
    assert max(max(seen) for seen in results[2:]) <= int(service_version(root))


def test_reading_the_store_before_the_head_would_see_a_false_rollback(place: str) -> None:
    root = f"{place}/state"
    world.changes(root).set("shared", SecretValue(b"0"))
    secrets = world.service(root)
    snapshot = secrets.open()
    assert snapshot is not None
    world.changes(root).set("shared", SecretValue(b"1"))
    with pytest.raises(IntegrityError, match="put back"):
        check_generation(secrets.trail.known(secrets.trail.read_head()), snapshot.header, b"")
    snapshot.close()


class Torn(Trail):
    """A trail whose head is met half written, once: a reader takes no lock."""

    reads = 0

    def read_head(self) -> bytes:
        """Return what lies there, but the first time only half of it."""
        self.reads += 1
        found = super().read_head()
        return found if self.reads > 1 else found[:80] + bytes(len(found[80:]))


class Absent(Torn):
    """A trail whose head is made just after it was first looked for."""

    def read_head(self) -> bytes:
        """Return what lies there, but the first time nothing."""
        return super().read_head() if self.reads else super().read_head()[:0]


@pytest.mark.parametrize("trail", [Torn, Absent])
def test_a_head_met_while_it_is_written_is_not_taken_for_a_rollback(
    trail: type[Torn], place: str
) -> None:
    root = f"{place}/state"
    world.changes(root).set("shared", SecretValue(b"0"))
    made = world.service(root)

    def unlock(header: Header) -> tuple[bytes, str]:
        """Open the store; meanwhile, the first time, there is a newer one."""
        if header.generation == 2:
            world.changes(root).set("shared", SecretValue(b"1"))
        return made.unlock(header)

    secrets = Secrets(made.home, made.actor, unlock)
    secrets.trail = trail(f"{root}/audit")
    assert secrets.read(parse("shared")).value.reveal() == b"1"


def test_fifty_commands_at_once_each_get_the_value_and_leave_a_record(place: str) -> None:
    root = f"{place}/state"
    world.changes(root).create("shared", SecretValue(world.CANARY))
    line = [f"{SCRIPTS}/openclaw", "secrets", "get", "shared"]
    environ = {**os.environ, "OPENCLAW_STATE_DIR": root}
    started = [
        subprocess.Popen(line, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(50)
    ]
    for each in started:
        out, err = each.communicate(timeout=60)
        assert (each.returncode, out, err) == (0, world.CANARY, b"")
    reveals = [each for each in world.records(root) if each["kind"] == "secret_reveal"]
    assert len({each["actor"]["pid"] for each in reveals}) == 50
