"""The anchor elsewhere: a store, trail and head that were put back together are noticed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_cli import assembly
from openclaw_cli.audit.anchor import ABSENT, Anchor, Known
from openclaw_cli.changes import Changes
from openclaw_cli.errors import ConfigError, DeniedError, IntegrityError, OpenclawError
from openclaw_cli.home import find
from openclaw_cli.model import SecretValue
from openclaw_cli.names import parse
from openclaw_cli.service import Secrets
from openclaw_cli.settings import Settings

KEY = bytes(range(32))
VALUE = SecretValue(b"value")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder / "anchor"


@pytest.fixture
def parts(path: Path) -> Callable[[], tuple[Secrets, Changes]]:
    settings = Settings({"store.anchor": f"file:{path}"}, {})

    def made() -> tuple[Secrets, Changes]:
        secrets = assembly.secrets(find(os.environ), settings, os.environ)
        return secrets, assembly.changes(secrets, settings)

    return made


Parts = Callable[[], tuple[Secrets, Changes]]


def records(secrets: Secrets) -> list[dict[str, object]]:
    text = Path(secrets.home.audit, "trail.jsonl").read_bytes()
    return [json.loads(line) for line in text.splitlines()]


def test_each_change_is_noted_and_the_first_time_is_recorded(parts: Parts, path: Path) -> None:
    secrets, changes = parts()
    changes.set("key", VALUE)
    first = json.loads(path.read_bytes())
    assert path.stat().st_mode & 0o777 == 0o600
    assert records(secrets)[-1]["kind"] == "anchor_made"
    changes.set("key", VALUE)
    second = json.loads(path.read_bytes())
    assert second["generation"] == first["generation"] + 1
    assert second["seq"] > first["seq"]
    assert [each["kind"] for each in records(secrets)].count("anchor_made") == 1


def test_everything_put_back_together_is_refused_to_readers_and_writers(
    parts: Parts, tmp_path: Path
) -> None:
    secrets, changes = parts()
    changes.set("key", VALUE)
    shutil.copytree(secrets.home.root, tmp_path / "copy")
    changes.set("key", SecretValue(b"newer"))
    shutil.rmtree(secrets.home.root)
    shutil.copytree(tmp_path / "copy", secrets.home.root)
    for attempt in (
        lambda: parts()[0].read(parse("key")),
        lambda: parts()[1].set("key", VALUE),
    ):
        with pytest.raises(IntegrityError, match="the store was put back") as refused:
            attempt()
        assert refused.value.hint.startswith("openclaw store accept-rollback")
    without = assembly.secrets(find(os.environ), Settings({}, {}), os.environ)
    assert without.read(parse("key")).value.reveal() == b"value"  # nothing else notices


def test_another_state_of_the_same_generation_is_refused(parts: Parts, tmp_path: Path) -> None:
    secrets, changes = parts()
    changes.set("key", VALUE)
    shutil.copytree(secrets.home.root, tmp_path / "copy")
    changes.set("key", SecretValue(b"one"))
    shutil.rmtree(secrets.home.root)
    shutil.copytree(tmp_path / "copy", secrets.home.root)
    without = assembly.secrets(find(os.environ), Settings({}, {}), os.environ)
    assembly.changes(without, Settings({}, {})).set("key", SecretValue(b"two"))
    with pytest.raises(IntegrityError, match="the store is another one"):
        parts()[0].read(parse("key"))


def test_a_store_and_trail_that_vanished_are_not_taken_for_a_new_beginning(parts: Parts) -> None:
    secrets, changes = parts()
    changes.set("key", VALUE)
    shutil.rmtree(secrets.home.root)
    with pytest.raises(IntegrityError, match="is missing, and was there before"):
        parts()[1].set("key", VALUE)


def test_an_anchor_that_is_behind_is_what_a_crash_leaves(parts: Parts, path: Path) -> None:
    _, changes = parts()
    changes.set("key", VALUE)
    old = path.read_bytes()
    changes.set("key", VALUE)
    path.write_bytes(old)
    secrets, changes = parts()
    assert secrets.read(parse("key")).version.id == "2"
    changes.set("key", VALUE)
    assert json.loads(path.read_bytes())["generation"] == json.loads(old)["generation"] + 2


def test_a_lost_anchor_is_made_anew_and_the_trail_says_so(parts: Parts, path: Path) -> None:
    secrets, changes = parts()
    changes.set("key", VALUE)
    path.unlink()
    parts()[0].read(parse("key"))
    parts()[1].set("key", VALUE)
    made = [each for each in records(secrets) if each["kind"] == "anchor_made"]
    assert [each.get("reason") for each in made] == [None, "lost"]


def test_a_forged_anchor_is_refused(parts: Parts, path: Path) -> None:
    _, changes = parts()
    changes.set("key", VALUE)
    fields = json.loads(path.read_bytes())
    for change in ({"generation": 1}, {"seal": "00"}, {"seal": 7}, {"tag": "xy"}, {"mac": None}):
        path.write_text(json.dumps({**fields, **change}))
        with pytest.raises(IntegrityError, match="is not authentic"):
            parts()[0].read(parse("key"))


def test_the_anchor_of_another_store_is_refused(parts: Parts, path: Path) -> None:
    secrets, changes = parts()
    changes.set("key", VALUE)
    snapshot = secrets.open()
    assert snapshot
    other = Known(b"1" * 16, 1, bytes(16), 1, bytes(32))
    path.write_bytes(other.encode(snapshot.index.audit_key))
    snapshot.close()
    with pytest.raises(ConfigError, match="is of another store"):
        secrets.read(parse("key"))


@pytest.mark.parametrize("content", [b"export PATH=/usr/bin\n", b"{}", b"[1]", b"\xff" * 5000])
def test_a_file_of_another_kind_is_never_written_over(
    parts: Parts, path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    with pytest.raises(OpenclawError, match="is not an anchor"):
        parts()[1].set("key", VALUE)
    assert path.read_bytes() == content


def test_a_link_a_pipe_or_a_file_that_others_write_is_refused(
    parts: Parts, path: Path, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    path.symlink_to(target)
    with pytest.raises(DeniedError, match="symbolic link"):
        parts()[1].set("key", VALUE)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(DeniedError, match="not a plain file"):
        parts()[1].set("key", VALUE)
    path.unlink()
    path.write_text("{}")
    path.chmod(0o666)
    with pytest.raises(DeniedError, match="others can write"):
        parts()[1].set("key", VALUE)
    assert target.read_text() == "mine"


def test_a_folder_that_others_can_write_in_is_refused(parts: Parts, path: Path) -> None:
    parts()[1].set("key", VALUE)
    path.parent.chmod(0o777)
    with pytest.raises(DeniedError, match="others can replace"):
        parts()[1].set("key", VALUE)


def test_a_change_is_refused_where_the_anchors_disk_is_missing(parts: Parts, path: Path) -> None:
    secrets, changes = parts()
    changes.set("key", VALUE)
    shutil.rmtree(path.parent)
    with pytest.raises(OpenclawError, match="cannot open"):
        parts()[1].set("key", VALUE)
    assert secrets.read(parse("key")).version.id == "1"


@pytest.mark.parametrize("setting", ["anchor", "file:anchor", "file:/a/../b", "file:", "s3:x"])
def test_only_an_absolute_path_or_the_keyring_is_taken(setting: str) -> None:
    with pytest.raises(ConfigError, match="takes file:"):
        Anchor(setting)


def test_whoever_accepts_an_old_store_learns_above_which_generation_to_go_on(
    parts: Parts, path: Path
) -> None:
    secrets, changes = parts()
    changes.set("key", VALUE)
    snapshot = secrets.open()
    assert snapshot
    assert secrets.anchor
    key, store = snapshot.index.audit_key, snapshot.header.store
    snapshot.close()
    assert secrets.anchor.generation(key, store) == 2
    assert secrets.anchor.generation(key, bytes(16)) == 0
    for content in (b"{}", b'{"format":"openclaw-anchor-1"}'):
        path.write_bytes(content)
        assert secrets.anchor.generation(key, store) == 0
    path.unlink()
    assert secrets.anchor.generation(key, store) == 0


def test_what_is_encoded_is_decoded(path: Path) -> None:
    known = Known(b"s" * 16, 7, b"t" * 16, 9, b"m" * 32)
    again = Anchor(f"file:{path}").decode(known.encode(KEY), KEY)
    assert [getattr(again, name) for name in Known.__slots__] == [
        getattr(known, name) for name in Known.__slots__
    ]
    assert Anchor(f"file:{path}").read() == ABSENT
