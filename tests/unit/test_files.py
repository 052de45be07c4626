"""Files that only their owner may see."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_cli.errors import DeniedError, OpenclawError, StorageError, TemporaryError
from openclaw_cli.files import Directory, failure, private_directory, read_all, write_all

ELSEWHERE = "write elsewhere; for the state directory: export OPENCLAW_STATE_DIR=/path"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Directory]:
    made = private_directory(str(tmp_path / "a" / "b"))
    yield made
    made.close()


def put(folder: Directory, name: str, data: bytes, mode: int = 0o600) -> Path:
    path = Path(folder.where(name))
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_a_directory_is_made_private_with_its_parents(folder: Directory) -> None:
    path = Path(folder.path)
    assert [each.stat().st_mode & 0o777 for each in (path, path.parent)] == [0o700, 0o700]


def test_a_directory_that_is_not_there_is_not_made_by_opening_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Directory(str(tmp_path / "none"))


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701, 0o777])
def test_a_directory_that_others_may_enter_is_refused(mode: int, tmp_path: Path) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(DeniedError) as refused:
        private_directory(str(tmp_path))
    assert refused.value.hint == f"chmod 700 {tmp_path}"


def test_a_linked_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(OpenclawError):
        Directory(str(tmp_path / "link"))


def test_a_directory_in_the_place_of_a_file_and_the_other_way_round(folder: Directory) -> None:
    os.mkdir(folder.where("directory"), 0o700)
    with pytest.raises(DeniedError, match="not a plain file"):
        folder.open("directory")
    put(folder, "file", b"")
    with pytest.raises(StorageError):
        private_directory(folder.where("file"))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666, 0o660])
def test_a_file_that_others_may_open_is_refused(mode: int, folder: Directory) -> None:
    put(folder, "file", b"x", mode)
    with pytest.raises(DeniedError) as refused:
        folder.read("file", 10)
    assert refused.value.hint == f"chmod 600 {folder.where('file')}"


def test_a_link_is_not_followed(folder: Directory) -> None:
    target = put(folder, "target", b"x")
    Path(folder.where("link")).symlink_to(target)
    with pytest.raises(DeniedError, match="symbolic link"):
        folder.read("link", 10)


def test_a_second_name_of_a_file_is_refused(folder: Directory) -> None:
    put(folder, "file", b"x")
    os.link(folder.where("file"), folder.where("second"))
    with pytest.raises(DeniedError, match="hard link"):
        folder.read("file", 10)


@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_what_is_no_file_is_refused_at_once(kind: str, folder: Directory) -> None:
    path = folder.where("odd")
    if kind == "fifo":
        os.mkfifo(path, 0o600)
    elif kind == "socket":
        listening = socket.socket(socket.AF_UNIX)
        os.chdir(folder.path)
        listening.bind("odd")
        listening.close()
    else:
        os.symlink("/dev/zero", path)
    with pytest.raises(OpenclawError):
        folder.read("odd", 10)


def test_reading_stops_at_the_limit(folder: Directory) -> None:
    put(folder, "file", bytes(11))
    with pytest.raises(StorageError, match="larger than 10 bytes"):
        folder.read("file", 10)
    assert len(folder.read("file", 11)) == 11


def test_a_sparse_file_of_many_gigabytes_is_refused_before_it_is_read(folder: Directory) -> None:
    path = put(folder, "file", b"")
    os.truncate(path, 1 << 40)
    with pytest.raises(StorageError, match="larger"):
        folder.read("file", 1 << 20)


def test_replacing_gives_a_private_file_whatever_the_umask(folder: Directory) -> None:
    before = os.umask(0)
    try:
        folder.replace("file", [b"a", b"", b"b"])
    finally:
        os.umask(before)
    assert folder.read("file", 10) == b"ab"
    assert os.stat(folder.where("file")).st_mode & 0o777 == 0o600
    assert os.listdir(folder.path) == ["file"]


def test_replacing_removes_what_a_crash_left(folder: Directory) -> None:
    put(folder, "file.new", b"half of it")
    folder.replace("file", [b"whole"])
    assert os.listdir(folder.path) == ["file"]


def test_a_failed_replacement_leaves_the_old_file_and_nothing_else(folder: Directory) -> None:
    folder.replace("file", [b"old"])

    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise OSError(errno.EIO, "x")

    with pytest.raises(StorageError, match="cannot write"):
        folder.replace("file", chunks())
    assert os.listdir(folder.path) == ["file"]
    assert folder.read("file", 10) == b"old"


def test_a_refused_rename_leaves_nothing_aside(folder: Directory) -> None:
    os.mkdir(folder.where("file"))
    with pytest.raises(OpenclawError):
        folder.replace("file", [b"new"])
    assert os.listdir(folder.path) == ["file"]


def test_removing_what_is_not_there_is_as_good(folder: Directory) -> None:
    folder.unlink("nothing")


def test_the_second_waits_for_the_lock_and_gets_it(folder: Directory) -> None:
    held = folder.lock("lock")
    threading.Timer(0.05, held.release).start()
    with folder.lock("lock", seconds=5) as lock:
        assert lock.fd >= 0
    assert lock.fd == -1


def test_a_lock_that_is_never_released_is_told_as_temporary(folder: Directory) -> None:
    with folder.lock("lock"), pytest.raises(TemporaryError, match=r"held .*/lock for 0.05 seconds"):
        folder.lock("lock", seconds=0.05)
    assert os.listdir(folder.path) == ["lock"]


def test_a_lock_ends_with_its_process(folder: Directory) -> None:
    line = (
        "import os, sys; from openclaw_cli.files import Directory;"
        "d = Directory(sys.argv[1]); d.lock('lock'); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", line, folder.path], check=False)
    assert done.returncode == -9
    folder.lock("lock", seconds=0).release()


def test_a_folder_that_nobody_holds_is_closed(folder: Directory) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        Directory(folder.path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_folder_is_closed_once_whoever_has_its_number_now(folder: Directory) -> None:
    second = Directory(folder.path)
    number = second.fd
    second.close()
    taken = os.open("/dev/null", os.O_RDONLY)
    assert taken == number
    second.close()
    os.close(taken)


def test_short_reads_and_writes_are_continued() -> None:
    source, target = os.pipe()
    data = bytes(range(256)) * 1024

    def write() -> None:
        write_all(target, data)
        os.close(target)

    writer = threading.Thread(target=write)
    writer.start()
    assert read_all(source, "pipe", len(data)) == data
    writer.join()
    os.close(source)


@pytest.mark.parametrize(
    ("code", "kind", "message", "hint"),
    [
        (errno.EACCES, DeniedError, "cannot open /a/x: permission denied", "ls -ld /a/x"),
        (errno.EPERM, DeniedError, "cannot open /a/x: operation not permitted", "ls -ld /a/x"),
        (errno.ELOOP, DeniedError, "/a/x is a symbolic link", "ls -l /a/x"),
        (errno.ENOSPC, StorageError, "cannot open /a/x: no space left on device", "df -h /a"),
        (errno.EROFS, StorageError, "cannot open /a/x: read-only file system", ELSEWHERE),
        (errno.EIO, StorageError, "cannot open /a/x: input/output error", ""),
    ],
)
def test_a_refusal_of_the_system_is_told_in_our_words_with_what_to_do(
    code: int, kind: type[OpenclawError], message: str, hint: str
) -> None:
    told = failure("open", "/a/x", OSError(code, "the system's own text"))
    assert (type(told), told.message, told.hint) == (kind, message, hint)


def test_where_nothing_may_be_made_another_place_is_the_remedy() -> None:
    assert failure("create", "/a/x", OSError(errno.EACCES, "")).hint == ELSEWHERE
