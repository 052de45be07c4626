"""A file that a person named: whole and private, or not there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_cli import newfile
from openclaw_cli.errors import ConflictError, DeniedError, StorageError


def test_it_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "new"
    newfile.write(str(path), [b"a", b"b"])
    assert path.read_bytes() == b"ab"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_stays_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_bytes(b"old")
    path.chmod(0o644)
    with pytest.raises(ConflictError, match="exists already"):
        newfile.write(str(path), [b"new"])
    assert path.read_bytes() == b"old"
    newfile.write(str(path), [b"new"], force=True)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)


@pytest.mark.parametrize("has_call", [True, False])
def test_a_name_that_is_taken_meanwhile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_call: bool
) -> None:
    def none(*_names: str) -> None:
        raise OSError(errno.ENOSYS, "no such call")

    if not has_call:
        monkeypatch.setattr(newfile, "exclusive_rename", none)
    path = tmp_path / "new"

    def taken(_aside: str) -> None:
        path.write_bytes(b"somebody else's")

    with pytest.raises(ConflictError, match="exists already"):
        newfile.write(str(path), [b"ours"], proof=taken)
    assert path.read_bytes() == b"somebody else's"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["home", "new"]
    newfile.write(f"{path}-2", [b"ours"])
    assert Path(f"{path}-2").read_bytes() == b"ours"


def test_what_a_kill_left_long_ago_is_taken_away(tmp_path: Path) -> None:
    old, new, other = (tmp_path / f"out.{each}.new" for each in ("0a1b2c3d", "4e5f6a7b", "mine"))
    for each in (old, new, other):
        each.write_bytes(b"a value in the clear")
    for each in (old, other):
        os.utime(each, (0, 0))
    newfile.write(str(tmp_path / "out"), [b"x"])
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        *("home", "out", new.name, other.name),
    ]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    with pytest.raises(ConflictError):
        newfile.write(str(tmp_path / "link"), [b"new"])
    newfile.write(str(tmp_path / "link"), [b"new"], force=True)
    assert (tmp_path / "target").read_bytes() == b"old"


@pytest.mark.parametrize("force", [False, True])
def test_what_fails_half_way_leaves_nothing(tmp_path: Path, force: bool) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"first"
        raise StorageError("the source failed")

    with pytest.raises(StorageError, match="the source failed"):
        newfile.write(str(tmp_path / "new"), chunks(), force=force)
    assert [each.name for each in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("force", [False, True])
def test_what_does_not_stand_its_proof_is_removed(tmp_path: Path, force: bool) -> None:
    def proof(path: str) -> None:
        assert Path(path).read_bytes() == b"x"
        raise StorageError("not what was written")

    with pytest.raises(StorageError, match="not what was written"):
        newfile.write(str(tmp_path / "new"), [b"x"], force=force, proof=proof)
    assert [each.name for each in tmp_path.iterdir()] == ["home"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises((StorageError, DeniedError), match="cannot write"):
        newfile.write(str(tmp_path / "no" / "new"), [b"x"])
