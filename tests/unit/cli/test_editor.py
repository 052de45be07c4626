"""A value can be edited without ever touching a disk, and nothing of it stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from openclaw_cli.agents.policy import key_places
from openclaw_cli.cli.editor import edit, filesystem
from openclaw_cli.errors import ConfigError, StorageError, UsageError
from openclaw_cli.home import find

# What an editor may do to its file; $1 is the file.
REPLACE = 'printf "new value\\n" > "$1"'
LOOK = """
stat -c "%a %F" "$1" "$(dirname "$1")" > "$SEEN"
echo "$1" >> "$SEEN"
tr "\\0" " " < "/proc/$$/cmdline" >> "$SEEN"
"""

CALLER = """
import os, sys
from openclaw_cli.cli.editor import edit
from openclaw_cli.errors import OpenclawError
try:
    print(edit(b"hunter2", directory=sys.argv[1]))
except OpenclawError as error:
    print(error.message)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "memory"
    place.mkdir()
    return place


def editor(tmp_path: Path, body: str, *, name: str = "fake") -> dict[str, str]:
    """Install an editor that runs `body`, and give the environment that names it."""
    path = tmp_path / "programs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return {**os.environ, "EDITOR": str(path), "SEEN": str(tmp_path / "seen")}


def edited(tmp_path: Path, place: Path, value: bytes, body: str) -> bytes | None:
    return edit(value, environ=editor(tmp_path, body), directory=str(place))


def test_an_edited_value_comes_back_and_the_file_is_gone(tmp_path: Path, place: Path) -> None:
    assert edited(tmp_path, place, b"old", REPLACE) == b"new value"
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (b"old", "true"),
        (b"old", 'touch "$1"'),
        (b"old", 'printf "old\\n" > "$1"'),  # most editors end the last line
        (b"old\n", "true"),
    ],
)
def test_the_same_content_is_no_change(
    tmp_path: Path, place: Path, value: bytes, body: str
) -> None:
    assert edited(tmp_path, place, value, body) is None


def test_a_final_newline_that_was_there_stays(tmp_path: Path, place: Path) -> None:
    assert edited(tmp_path, place, b"old\n", REPLACE) == b"new value\n"


def test_an_editor_that_replaces_the_file_is_followed(tmp_path: Path, place: Path) -> None:
    body = 'printf other > "$1.tmp" && mv "$1.tmp" "$1"; echo kept > "$1~"'
    assert edited(tmp_path, place, b"old", body) == b"other"
    assert list(place.iterdir()) == []


def test_the_file_is_ours_alone_and_the_value_on_no_command_line(
    tmp_path: Path, place: Path
) -> None:
    os.umask(0)  # each test has its umask put back
    assert edited(tmp_path, place, b"hunter2", LOOK) is None
    seen = (tmp_path / "seen").read_text()
    assert seen.startswith("600 regular file\n700 directory\n")
    assert "hunter2" not in seen


def test_without_being_told_a_place_the_file_is_in_memory(tmp_path: Path) -> None:
    edit(b"hunter2", environ=editor(tmp_path, LOOK))
    path = (tmp_path / "seen").read_text().splitlines()[2]
    assert filesystem(os.path.dirname(os.path.dirname(path))) in ("tmpfs", "ramfs")
    assert not os.path.exists(os.path.dirname(path))


def test_the_file_lies_where_agents_see_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TemporaryDirectory(dir="/dev/shm") as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        edit(b"hunter2", environ={**editor(tmp_path, LOOK), "XDG_RUNTIME_DIR": runtime})
        path = Path((tmp_path / "seen").read_text().splitlines()[2])
        hidden = key_places(find(os.environ))
    assert any(path.is_relative_to(each) for each in hidden)


def test_file_systems_are_told_apart(tmp_path: Path) -> None:
    assert filesystem("/proc") == "proc"
    assert filesystem("/dev/shm") == "tmpfs"
    assert filesystem(str(tmp_path / "nowhere")) == ""


@pytest.mark.parametrize("failing", ['printf x > "$1"; exit 1', 'rm "$1"', 'rm "$1"; mkdir "$1"'])
def test_an_editor_that_fails_changes_nothing(tmp_path: Path, place: Path, failing: str) -> None:
    with pytest.raises(StorageError):
        edited(tmp_path, place, b"old", failing)
    assert list(place.iterdir()) == []


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path, place: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"not ours")
    with pytest.raises(StorageError):
        edited(tmp_path, place, b"old", f'ln -sf "{target}" "$1"')
    assert target.read_bytes() == b"not ours"


def test_what_is_wiped_was_overwritten_first(tmp_path: Path, place: Path) -> None:
    held: list[int] = []
    environ = editor(tmp_path, 'echo "$1" > "$SEEN"; while [ -e "$SEEN" ]; do sleep 0.02; done')

    def holder() -> None:
        seen = Path(environ["SEEN"])
        while not (seen.exists() and seen.read_text().endswith("\n")):
            time.sleep(0.02)
        held.append(os.open(seen.read_text().strip(), os.O_RDONLY))
        seen.unlink()

    thread = threading.Thread(target=holder)
    thread.start()
    edit(b"hunter2", environ=environ, directory=str(place))
    thread.join()
    assert os.pread(held[0], 100, 0) == bytes(len(b"hunter2"))
    os.close(held[0])


@pytest.mark.parametrize("value", [b"\xff\xfe", b"a\x00b"])
def test_what_is_not_text_is_not_given_to_an_editor(
    tmp_path: Path, place: Path, value: bytes
) -> None:
    with pytest.raises(UsageError, match="not text") as refused:
        edited(tmp_path, place, value, LOOK)
    assert "--value-file" in refused.value.hint
    assert not (tmp_path / "seen").exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (': > "$1"', "emptied"),
        ('printf "\\n" > "$1"', "emptied"),
        ('head -c 70000 /dev/zero | tr "\\0" x > "$1"', "64 KiB"),
    ],
)
def test_an_emptied_or_too_long_file_changes_nothing(
    tmp_path: Path, place: Path, body: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        edited(tmp_path, place, b"old", body)


def test_the_editor_may_have_options_and_visual_wins(tmp_path: Path, place: Path) -> None:
    environ = editor(tmp_path, '[ "$1 $2" = "--wait two words" ] && printf new > "$3"')
    environ["VISUAL"] = f"{environ['EDITOR']} --wait 'two words'"
    environ["EDITOR"] = "/nonexistent"
    assert edit(b"old", environ=environ, directory=str(place)) == b"new"


@pytest.mark.parametrize("asked", ["/nonexistent/editor", "no'quote", "/etc/hostname", "''"])
def test_an_editor_that_is_none_is_a_setting_to_mend(place: Path, asked: str) -> None:
    with pytest.raises(ConfigError) as refused:
        edit(b"old", environ={**os.environ, "EDITOR": asked}, directory=str(place))
    assert refused.value.hint == "export EDITOR=vim"


@pytest.mark.parametrize("name", ["vim.basic", "nvim", "vim"])
def test_vim_is_told_to_keep_no_copies(tmp_path: Path, place: Path, name: str) -> None:
    environ = editor(tmp_path, 'printf "%s " "$@" > "$SEEN"', name=name)
    linked = tmp_path / "programs" / "vi"
    linked.symlink_to(environ["EDITOR"])
    edit(b"old", environ={**environ, "EDITOR": str(linked)}, directory=str(place))
    told = (tmp_path / "seen").read_text()
    assert told.startswith("-n -i NONE -c set nobackup nowritebackup noundofile")


def running(tmp_path: Path, place: Path, body: str) -> subprocess.Popen[str]:
    """Start an edit in a process of its own; return once its editor has the file."""
    environ = editor(tmp_path, f'echo here > "$SEEN"\n{body}')
    process = subprocess.Popen(
        [sys.executable, "-c", CALLER, place],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (tmp_path / "seen").exists():
        assert process.poll() is None
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_us_ends_the_editor_and_leaves_nothing(
    tmp_path: Path, place: Path, number: signal.Signals
) -> None:
    with running(tmp_path, place, "exec sleep 60") as process:
        assert len(list(place.iterdir())) == 1
        process.send_signal(number)
        assert process.wait(20) == -number
    assert list(place.iterdir()) == []


def test_an_editor_that_will_not_end_is_ended_by_the_second_signal(
    tmp_path: Path, place: Path
) -> None:
    with running(tmp_path, place, "trap '' TERM; while :; do sleep 0.1; done") as process:
        process.terminate()
        time.sleep(0.2)
        assert process.poll() is None
        process.terminate()
        assert process.wait(20) == -signal.SIGTERM
    assert list(place.iterdir()) == []


def test_ctrl_c_is_a_key_of_the_editor(tmp_path: Path, place: Path) -> None:
    body = 'trap "printf caught > $1; exit 0" INT; while :; do sleep 0.05; done'
    with running(tmp_path, place, body) as process:
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert out == "b'caught'\n"
    assert list(place.iterdir()) == []


def test_what_a_kill_left_is_removed_by_the_next_edit(tmp_path: Path, place: Path) -> None:
    with running(tmp_path, place, "exec sleep 60") as process:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
    (left,) = place.iterdir()
    assert (left / "value").read_bytes() == b"hunter2"
    os.utime(left, (0, 0))
    assert edited(tmp_path, place, b"old", REPLACE) == b"new value"
    assert list(place.iterdir()) == []


def test_an_edit_that_goes_on_is_not_removed_by_another(tmp_path: Path, place: Path) -> None:
    with running(tmp_path, place, 'while [ -e "$SEEN" ]; do sleep 0.02; done') as process:
        (busy,) = place.iterdir()
        os.utime(busy, (0, 0))
        environ = {**editor(tmp_path, REPLACE, name="second")}
        assert edit(b"old", environ=environ, directory=str(place)) == b"new value"
        assert list(place.iterdir()) == [busy]
        (tmp_path / "seen").unlink()
        assert process.wait(20) == 0
    assert list(place.iterdir()) == []
