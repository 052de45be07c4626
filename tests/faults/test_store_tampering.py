"""Whatever is done to the store's file, it is noticed, and no value that was not kept is given.

`get` sees what it reads; `store check` sees everything. Each kind of tampering has its control: the
same with one of our checks taken away, which must be noticed by the test.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openclaw_cli import service
from openclaw_cli.changes import Changes
from openclaw_cli.errors import OpenclawError
from openclaw_cli.home import Home
from openclaw_cli.model import SecretValue
from openclaw_cli.service import Secrets
from openclaw_cli.store import commit, reader, record
from openclaw_cli.store.check import examine
from openclaw_cli.store.header import Header, decode
from openclaw_cli.store.index import Index, open_index
from openclaw_cli.store.keys.slots import unlock_asking
from tests.conftest import Openclaw, Result

VALUES = {
    "db/password": b"canary-0c9d4f7a-one",
    "openai-api-key": b"canary-0c9d4f7a-two",
    "tls": b"canary-0c9d4f7a-three\0\xff",
}
CANARY = b"0c9d4f7a"

Main = Callable[..., Result]


class Store:
    """A small store, its file, and the two ways of looking at it."""

    def __init__(self, root: str) -> None:
        self.home = Home(root)
        self.path = Path(self.home.secrets, "store.oc")
        self.head = Path(self.home.audit, "head")
        actor = {"uid": os.getuid()}
        self.secrets = Secrets(self.home, actor, lambda h: unlock_asking(self.home, h, _nobody))
        self.changes = Changes(self.secrets)
        self.changes.set_many({name: SecretValue(value) for name, value in VALUES.items()})
        self.good = self.path.read_bytes()

    def put(self, data: bytes) -> None:
        """Write the file as somebody else would."""
        self.path.write_bytes(data)

    def gives(self) -> dict[str, bytes | int]:
        """Return each secret's value as `get` reads it, or the status it refuses with."""
        found: dict[str, bytes | int] = {}
        for name in VALUES:
            try:
                snapshot = self.secrets.open()
                assert snapshot is not None
                try:
                    current = snapshot.current(name)
                finally:
                    snapshot.close()
                found[name] = current[1] if current else 3
            except OpenclawError as refused:
                found[name] = refused.status
        return found

    def damage(self) -> list[str]:
        """Return what `store check` finds."""
        try:
            snapshot = self.secrets.open()
        except OpenclawError as refused:
            return [refused.message] if refused.status in (4, 78) else []
        assert snapshot is not None
        try:
            return examine(snapshot).damage
        finally:
            snapshot.close()

    def opened(self) -> tuple[Header, bytes, Index, int]:
        """Return header, data key, index, and where the first record begins."""
        snapshot = self.secrets.open()
        assert snapshot is not None
        snapshot.close()
        return snapshot.header, snapshot.data_key, snapshot.index, snapshot.start


def _nobody(_label: str) -> bytes:
    raise AssertionError("nobody was to be asked")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "state"))


def wrong(found: dict[str, bytes | int]) -> list[str]:
    """Return the names whose answer is neither the true value nor a refusal as damaged."""
    return [name for name, answer in found.items() if answer not in (VALUES[name], 4)]


def test_the_untouched_store_gives_every_value_and_is_whole(store: Store) -> None:
    assert store.gives() == VALUES
    assert store.damage() == []


def flips(data: bytes, *, every_bit: bool) -> Iterator[tuple[int, bytes]]:
    for at in range(len(data)):
        for bit in range(8) if every_bit else (at % 8,):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            yield at, bytes(flipped)


def unnoticed_flips(store: Store, *, every_bit: bool) -> Iterator[int]:
    """Find the places where a turned bit changed an answer, or was not seen by a check."""
    _, _, _, records = store.opened()
    for at, data in flips(store.good, every_bit=every_bit):
        store.put(data)
        answers = store.gives()
        if at == 7 and set(answers.values()) == {78}:  # "OCSTORE3": a newer program's
            continue
        early = at < records and set(answers.values()) != {4}
        if wrong(answers) or early or not store.damage():
            yield at


def test_a_turned_bit_in_any_byte_is_noticed(store: Store) -> None:
    assert list(unnoticed_flips(store, every_bit=False)) == []


@pytest.mark.nightly
def test_every_turned_bit_is_noticed(store: Store) -> None:
    assert list(unnoticed_flips(store, every_bit=True)) == []


def test_control_a_store_that_verifies_no_record_fails_the_flips(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unverified(_key: bytes, _bound: bytes, sealed: bytes, _tag: bytes, _what: str) -> bytes:
        return sealed[28:47]

    monkeypatch.setattr(reader, "open_record", unverified)
    assert next(unnoticed_flips(store, every_bit=False), None) is not None


def test_every_truncation_is_noticed(store: Store) -> None:
    for length in range(len(store.good)):
        store.put(store.good[:length])
        assert set(store.gives().values()) == {4}, length


@pytest.mark.parametrize("more", [b"\0", b"x" * 16, b"y" * 4096])
def test_appended_bytes_are_noticed(more: bytes, store: Store) -> None:
    store.put(store.good + more)
    assert set(store.gives().values()) == {4}
    store.put(store.good + store.good)
    assert set(store.gives().values()) == {4}


def test_control_without_the_size_in_the_index_appended_bytes_pass(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sizeless(key: bytes, header: Header, before: bytes, sealed: bytes) -> Index:
        index = open_index(key, header, before, sealed)
        index.file_size = os.stat(store.path).st_size
        return index

    monkeypatch.setattr(reader, "open_index", sizeless)
    store.put(store.good + b"\0")
    assert store.gives() == VALUES


def places(store: Store) -> dict[str, slice]:
    """Return where each current record lies."""
    _, _, index, records = store.opened()
    found = {}
    for name in VALUES:
        place = index.find(name)
        assert place is not None
        start = records + place[1].offset
        found[name] = slice(start, start + place[1].length)
    return found


def test_two_records_of_one_length_cannot_change_places(store: Store) -> None:
    at = places(store)
    one, two = at["db/password"], at["tls"]
    data = bytearray(store.good)
    data[one], data[two] = store.good[two], store.good[one]
    store.put(bytes(data))
    assert store.gives() == {**VALUES, "db/password": 4, "tls": 4}
    assert len(store.damage()) == 2


def test_an_older_record_of_the_same_name_and_version_cannot_come_back(store: Store) -> None:
    """As after a restore, when version 2 was given twice: name, version and store are the same."""
    old = resealed(store, "db/password", b"old-value")
    store.put(old)
    assert store.gives() == {**VALUES, "db/password": 4}
    assert len(store.damage()) == 1


def test_control_without_the_tag_in_the_index_the_older_record_passes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(resealed(store, "db/password", b"old-value"))
    monkeypatch.setattr(record, "same", lambda _one, _other: True)
    assert store.gives() == {**VALUES, "db/password": b"old-value"}


def resealed(store: Store, name: str, value: bytes) -> bytes:
    """Return the file with another record of this store, name and version in its place."""
    header, data_key, _, _ = store.opened()
    bound = record.bound_to_version(header, name, 1)
    other = record.seal_record(data_key, bound, value, os.urandom(record.RANDOM))
    at = places(store)[name]
    return store.good[: at.start] + other + store.good[at.stop :]


def test_a_record_cannot_be_taken_out_or_put_in(store: Store) -> None:
    at = places(store)["openai-api-key"]
    for data in (
        store.good[: at.start] + store.good[at.stop :],
        store.good[: at.stop] + store.good[at] + store.good[at.stop :],
    ):
        store.put(data)
        assert wrong(store.gives()) == []
        assert set(store.gives().values()) == {4}


def test_an_older_file_is_refused_while_the_head_knows_a_newer(store: Store) -> None:
    store.changes.set("db/password", SecretValue(b"newer"))
    store.put(store.good)
    assert set(store.gives().values()) == {4}
    assert "was put back" in store.damage()[0]


def test_control_without_the_generation_an_older_file_passes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.changes.set("db/password", SecretValue(b"newer"))
    store.put(store.good)
    monkeypatch.setattr(service, "check_generation", lambda *_: None)
    assert store.gives() == VALUES


def test_an_older_file_with_the_head_of_its_time_passes_as_documented(store: Store) -> None:
    """Limit (a) of the document: who puts back everything is noticed only from elsewhere."""
    before = store.head.read_bytes()
    store.changes.set("db/password", SecretValue(b"newer"))
    store.put(store.good)
    store.head.write_bytes(before)
    assert store.gives() == VALUES


def test_a_store_without_its_head_is_refused_not_trusted_anew(store: Store) -> None:
    store.head.unlink()
    assert set(store.gives().values()) == {4}


def test_another_state_of_the_same_generation_is_refused(store: Store, tmp_path: Path) -> None:
    """Two machines that write one synchronised store."""
    twin = tmp_path / "twin"
    shutil.copytree(store.home.root, twin)
    store.changes.set("db/password", SecretValue(b"here"))
    other = Secrets(Home(str(twin)), {"uid": os.getuid()}, store.secrets.unlock)
    Changes(other).set("db/password", SecretValue(b"there"))
    store.put((twin / "secrets" / "store.oc").read_bytes())
    assert set(store.gives().values()) == {4}
    assert "another one than generation" in store.damage()[0]


def test_slots_of_another_store_do_not_open_this_one(store: Store, tmp_path: Path) -> None:
    other = Store(str(tmp_path / "other"))
    shutil.copyfile(Path(other.home.secrets, "key"), Path(store.home.secrets, "key"))
    assert set(store.gives().values()) == {4}
    header, end = decode(store.good)
    theirs, _ = decode(other.good)
    header.slots = theirs.slots
    store.put(header.encode() + store.good[end:])
    assert set(store.gives().values()) == {4}


def test_a_header_of_another_generation_does_not_fit_the_index(store: Store) -> None:
    header, end = decode(store.good)
    for generation in (header.generation + 1, 2**64 - 1):
        header.generation = generation
        store.put(header.encode() + store.good[end:])
        assert set(store.gives().values()) == {4}


def test_a_floor_that_the_trail_does_not_have_does_not_fit_the_index(store: Store) -> None:
    header, end = decode(store.good)
    header.floor_seq, header.floor_mac = 0, bytes(32)
    store.put(header.encode() + store.good[end:])
    store.head.unlink()
    assert set(store.gives().values()) == {4}


def test_a_writer_does_not_hide_damage_in_what_it_copies(store: Store) -> None:
    at = places(store)["tls"]
    data = bytearray(store.good)
    data[at.start + 40] ^= 1
    store.put(bytes(data))
    store.changes.set("db/password", SecretValue(b"newer"))
    assert store.gives() == {**VALUES, "db/password": b"newer", "tls": 4}
    assert store.damage() == ["version 1 of tls is damaged or was tampered with"]


def test_a_damaged_store_is_not_backed_up_rekeyed_or_restored(
    store: Store, main: Main, tmp_path: Path
) -> None:
    at = places(store)["tls"]
    data = bytearray(store.good)
    data[at.start + 40] ^= 1
    store.put(bytes(data))
    backup = str(tmp_path / "backup.oc")
    assert b"damaged" in main("store", "backup", backup, check=4).err
    assert not os.path.exists(backup)
    main("store", "rekey", check=4)
    assert store.path.read_bytes() == bytes(data)
    shutil.copyfile(store.path, backup)
    main("store", "restore", backup, "--yes", check=4)
    assert store.path.read_bytes() == bytes(data)


@pytest.mark.parametrize("at", ["header", "index", "record", "directory"])
def test_the_commands_end_with_4_and_show_no_value(at: str, store: Store, main: Main) -> None:
    header, _, index, end = store.opened()
    where = {
        "header": 50,
        "index": len(header.encode()) + 30,
        "record": places(store)["db/password"].start + 40,
        "directory": end + index.directory.offset + 20,
    }[at]
    data = bytearray(store.good)
    data[where] ^= 0x40
    store.put(bytes(data))
    commands = [("store", "check"), ("store", "check", "--json")]
    if at != "directory":
        commands += [("secrets", "get", "db/password"), ("secrets", "get", "--json", "db/password")]
    for command in commands:
        result = main(*command)
        assert result.status == 4, command
        assert CANARY not in result.out + result.err
        assert store.good[end : end + 16].hex().encode() not in result.out + result.err


def test_an_edited_cost_of_argon2_ends_quickly_and_small(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    vectors = Path(__file__).parents[1] / "vectors" / "1"
    place = tmp_path / "state" / "secrets"
    place.mkdir(parents=True)
    for name in ("bad-argon2-8-kib.oc", "bad-argon2-4-tib.oc"):
        shutil.copyfile(vectors / name, place / "store.oc")
        began = time.monotonic()
        given = b"correct horse battery staple"
        done = openclaw("store", "unlock", "--passphrase-file", "-", input=given, timeout=20)
        assert done.status == 4, done
        assert time.monotonic() - began < 10


# What may lie there instead of a plain file of ours. --------------------------------------------


def replaced(store: Store, kind: str, tmp_path: Path) -> None:
    path = store.path
    kept = tmp_path / "kept.oc"
    if kind == "hard link":
        os.link(path, kept)
        return
    path.rename(kept)
    if kind == "fifo":
        os.mkfifo(path, 0o600)
    elif kind == "directory":
        path.mkdir(mode=0o700)
    elif kind == "symlink":
        path.symlink_to(kept)
    elif kind == "dangling symlink":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "/dev/zero":
        path.symlink_to("/dev/zero")
    elif kind == "socket":
        here = os.getcwd()
        os.chdir(path.parent)  # a socket's path is at most 108 bytes long
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path.name)
        finally:
            os.chdir(here)
    elif kind == "10 GiB of nothing":
        with path.open("wb") as sparse:
            sparse.truncate(10 * 1024**3)
    else:
        shutil.copyfile(kept, path)
        path.chmod(int(kind, 8))


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("fifo", 6),
        ("directory", 6),
        ("symlink", 6),
        ("dangling symlink", 6),
        ("hard link", 6),
        ("socket", 74),
        ("/dev/zero", 6),
        ("10 GiB of nothing", 4),
        ("644", 6),
        ("640", 6),
        ("602", 6),
    ],
)
def test_what_is_not_a_plain_private_file_is_refused_at_once(
    kind: str, status: int, store: Store, openclaw: Openclaw, tmp_path: Path
) -> None:
    replaced(store, kind, tmp_path)
    began = time.monotonic()
    for command in (("secrets", "get", "db/password"), ("store", "check"), ("store", "slots")):
        result = openclaw(*command, timeout=20)
        assert result.status == status, (command, result)
        assert CANARY not in result.out + result.err
        assert result.err.startswith(b"openclaw: ")
    assert time.monotonic() - began < 15


def test_a_store_of_another_user_is_refused(
    store: Store, main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:
        os.chown(store.path, 65534, 65534)
    else:  # only root can give a file away: then it is we who become another
        monkeypatch.setattr(os, "geteuid", lambda: 65534)
    assert b"belongs to another user" in main("secrets", "get", "db/password", check=6).err


def test_a_folder_that_others_may_enter_is_refused_with_the_command_that_mends_it(
    store: Store, main: Main
) -> None:
    os.chmod(store.home.secrets, 0o750)  # noqa: S103  the point
    refused = main("secrets", "get", "db/password", check=6)
    assert f"chmod 700 {store.home.secrets}".encode() in refused.err
    os.chmod(store.home.secrets, 0o700)
    assert main("secrets", "get", "db/password", check=0).out == VALUES["db/password"]


@pytest.mark.usefixtures("store")
def test_control_the_plain_private_file_is_read(openclaw: Openclaw) -> None:
    result = openclaw("secrets", "get", "db/password", check=0)
    assert result.out == VALUES["db/password"]


def test_a_store_past_its_limits_is_refused_and_names_the_way_out(store: Store) -> None:
    most = commit.MAX_SECRETS
    assert (most, commit.MAX_BYTES) == (10_000, 32 * 1024 * 1024)
    with pytest.raises(OpenclawError, match="local store is full: it holds up to 10000") as full:
        store.changes.set_many({f"n/{number}": SecretValue(b"x") for number in range(most)})
    assert full.value.status == 11
    assert "openclaw secrets" in full.value.hint
    assert store.gives() == VALUES
