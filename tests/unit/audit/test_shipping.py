"""New records reach every sink, each at least once, in order, and one that fails later."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from openclaw_cli.audit.shipping import ship
from openclaw_cli.audit.sinks.sink import Sink
from openclaw_cli.audit.trail import FILE
from openclaw_cli.changes import Changes
from openclaw_cli.errors import TemporaryError
from openclaw_cli.model import SecretValue
from openclaw_cli.names import parse
from openclaw_cli.service import Secrets


class Kept:
    """Keeps what it is sent, as long as it is not away."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.away = False

    def send(self, records: Sequence[bytes]) -> None:
        if self.away:
            raise TemporaryError("away")
        self.records += records

    def close(self) -> None:
        """Nothing is open."""

    @property
    def kinds(self) -> list[str]:
        return [json.loads(each)["kind"] for each in self.records]


def opening(sinks: dict[str, Kept]) -> Callable[[str, str], Sink]:
    return lambda address, _root: sinks[address]


def test_each_record_is_sent_once_while_nothing_fails(secrets: Secrets, changes: Changes) -> None:
    changes.set("db", SecretValue(b"x"))
    one, two = Kept(), Kept()
    away = {"one": one, "two": two}
    home = secrets.home
    assert ship(home.audit, home.root, list(away), opening=opening(away)).counts == {
        "one": len(one.records),
        "two": len(one.records),
    }
    before = len(one.records)
    assert before == len(two.records) > 1
    secrets.read(parse("db"))
    assert ship(home.audit, home.root, ["one"], opening=opening(away)).counts == {"one": 1}
    assert ship(home.audit, home.root, ["one"], opening=opening(away)).counts == {"one": 0}
    assert len(one.records) == before + 1


def test_one_that_is_away_gets_them_later(secrets: Secrets, changes: Changes) -> None:
    changes.set("db", SecretValue(b"x"))
    near, far = Kept(), Kept()
    far.away = True
    both = {"near": near, "far": far}
    home = secrets.home
    done = ship(home.audit, home.root, list(both), opening=opening(both))
    assert list(done.failed) == ["far"]
    far.away = False
    ship(home.audit, home.root, list(both), opening=opening(both))
    assert far.records == near.records


def test_only_the_kinds_that_are_captured(secrets: Secrets, changes: Changes) -> None:
    changes.set("db", SecretValue(b"x"))
    secrets.read(parse("db"))
    kept = Kept()
    home = secrets.home
    ship(home.audit, home.root, ["k"], ["secret_reveal"], opening({"k": kept}))
    assert kept.kinds == ["secret_reveal"]


@pytest.mark.parametrize(
    "line",
    [b'{"seq":2,"name":"\\ud800"}\n', b"{\n", b"\xff\xfe\n", b"[]\n", b"\n"],
    ids=("surrogate", "cut", "no text", "list", "empty"),
)
def test_a_line_that_cannot_be_read_is_sent_as_it_is(
    secrets: Secrets, changes: Changes, tmp_path: Path, line: bytes
) -> None:
    changes.set("db", SecretValue(b"x"))
    home = secrets.home
    with Path(home.audit, FILE).open("ab") as written:
        written.write(line)
    kept = Kept()
    ship(home.audit, home.root, ["k"], ["secret_reveal"], opening({"k": kept}))
    assert kept.records == [line]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "log"))
        ship(home.audit, home.root, [f"syslog://{tmp_path}/log"], ["secret_reveal"])
        daemon.settimeout(5)
        assert b"<84>1 - " in daemon.recv(65536)
    done = ship(home.audit, home.root, ["qdrant://copies"], ["secret_reveal"])
    assert (done.counts, done.failed) == ({"qdrant://copies": 1}, {})


def test_it_goes_on_in_the_next_file_of_the_trail(secrets: Secrets, changes: Changes) -> None:
    kept = Kept()
    home = secrets.home
    changes.set("db", SecretValue(b"x"))
    small = Secrets(home, secrets.actor, secrets.unlock, segment_bytes=2000)
    for _ in range(30):
        small.read(parse("db"))
        ship(home.audit, home.root, ["k"], ["secret_reveal"], opening({"k": kept}))
    assert len(list(Path(home.audit).glob("trail-*.jsonl"))) > 2
    numbers = [json.loads(each)["seq"] for each in kept.records]
    assert len(numbers) == 30
    assert numbers == sorted(set(numbers))


def test_a_damaged_note_sends_all_again(secrets: Secrets, changes: Changes) -> None:
    changes.set("db", SecretValue(b"x"))
    kept = Kept()
    home = secrets.home
    ship(home.audit, home.root, ["k"], opening=opening({"k": kept}))
    first = len(kept.records)
    Path(home.audit, "shipped").write_text("{")
    ship(home.audit, home.root, ["k"], opening=opening({"k": kept}))
    assert len(kept.records) == 2 * first


def test_the_note_has_no_token_of_an_address(secrets: Secrets, changes: Changes) -> None:
    changes.set("db", SecretValue(b"x"))
    kept = Kept()
    home = secrets.home
    address = "https://hooks.example/T0KEN?key=T0KEN"
    ship(home.audit, home.root, [address], opening=opening({address: kept}))
    note = Path(home.audit, "shipped")
    assert kept.records
    assert "T0KEN" not in note.read_text()
    # A note that still has addresses is understood, and has none after the next time.
    (place,) = json.loads(note.read_text()).values()
    note.write_text(json.dumps({address: place}))
    count = len(kept.records)
    secrets.read(parse("db"))
    ship(home.audit, home.root, [address], opening=opening({address: kept}))
    assert len(kept.records) == count + 1
    assert "T0KEN" not in note.read_text()
