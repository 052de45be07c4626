"""A value gets to the clipboard without being seen on the way, and leaves it again."""

from __future__ import annotations

import base64
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from openclaw_cli.cli.clipboard import Copied, copy
from openclaw_cli.errors import ConfigError, TemporaryError, UsageError
from tests.unit.cli.terminal import Terminal

VALUE = b"hunter2\x00\xff\n"

# A clipboard in a file, with xclip's options; each call leaves its command line and environment.
XCLIP = """#!/bin/sh
{ echo "$*"; env; tr '\\0' ' ' < /proc/$PPID/cmdline; } >> "$HOME/calls"
case "$*" in
"-selection clipboard -in") cat > "$HOME/clip" ;;
"-selection clipboard -out") cat "$HOME/clip" ;;
*) exit 9 ;;
esac
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Give an environment with a display and an xclip."""
    home = tmp_path / "desk"
    programs = home / "bin"
    programs.mkdir(parents=True)
    install(programs / "xclip", XCLIP)
    path = f"{programs}:/usr/bin:/bin"
    return {"HOME": str(home), "PATH": path, "DISPLAY": ":7", "OTHER_SECRET": "s3cret"}


def install(path: Path, script: str) -> None:
    path.write_text(script)
    path.chmod(0o755)


def held(environ: dict[str, str]) -> bytes:
    return (Path(environ["HOME"]) / "clip").read_bytes()


def clearers(environ: dict[str, str]) -> list[Path]:
    """Find the processes (in /proc) that wait to clear this clipboard."""
    home = os.fsencode(f"HOME={environ['HOME']}")
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if home in (process / "environ").read_bytes().split(b"\0"):
                found.append(process)
    return found


def wait(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_value_is_copied_exactly_and_cleared_later(environ: dict[str, str]) -> None:
    assert copy(VALUE, seconds=1, environ=environ) == Copied("xclip", 1)
    assert held(environ) == VALUE
    waiting = clearers(environ)
    assert len(waiting) == 1
    assert b"hunter2" not in (waiting[0] / "environ").read_bytes()
    assert b"hunter2" not in (waiting[0] / "cmdline").read_bytes()
    wait(lambda: not clearers(environ))
    assert held(environ) == b""


def test_what_was_copied_since_is_left_alone(environ: dict[str, str]) -> None:
    copy(VALUE, seconds=1, environ=environ)
    (Path(environ["HOME"]) / "clip").write_bytes(b"something else")
    wait(lambda: not clearers(environ))
    assert held(environ) == b"something else"
    assert "-out" in (Path(environ["HOME"]) / "calls").read_text()


def test_no_program_sees_the_value_or_our_environment(environ: dict[str, str]) -> None:
    copy(b"hunter2", seconds=0, environ=environ)
    calls = (Path(environ["HOME"]) / "calls").read_text()
    assert "DISPLAY=:7" in calls
    assert "s3cret" not in calls
    assert "hunter2" not in calls


def test_zero_seconds_is_never(environ: dict[str, str]) -> None:
    assert copy(VALUE, seconds=0, environ=environ) == Copied("xclip", None)
    assert clearers(environ) == []


@pytest.mark.parametrize("lacking", ["DISPLAY", "PATH"])
def test_without_a_clipboard_it_is_said_what_is_missing(
    environ: dict[str, str], lacking: str
) -> None:
    del environ[lacking]
    with pytest.raises(ConfigError, match="no clipboard can be reached") as refused:
        copy(VALUE, environ=environ)
    assert "xclip" in refused.value.hint


def test_a_program_that_others_could_have_put_there_is_not_given_the_value(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = Path(environ["HOME"]) / "bin"
    monkeypatch.chdir(programs)
    for path in (".", "", "bin/../bin"):
        with pytest.raises(ConfigError):
            copy(VALUE, environ={**environ, "PATH": path})
    (programs / "xclip").chmod(0o777)
    with pytest.raises(ConfigError):
        copy(VALUE, environ=environ)
    assert not (Path(environ["HOME"]) / "calls").exists()


def test_a_program_that_fails_or_hangs_is_reported(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    xclip = Path(environ["HOME"]) / "bin" / "xclip"
    install(xclip, "#!/bin/sh\nexit 1\n")
    with pytest.raises(ConfigError, match="status 1") as refused:
        copy(VALUE, environ=environ)
    assert "DISPLAY" in refused.value.hint
    install(xclip, "#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr("openclaw_cli.cli.clipboard._PATIENCE", 0.2)
    with pytest.raises(TemporaryError, match="did not take the value"):
        copy(VALUE, environ=environ)


def test_a_clipboard_server_that_stays_behind_does_not_hold_us(environ: dict[str, str]) -> None:
    script = "#!/bin/sh\ncat >/dev/null\n(sleep 60; echo late) &\n"
    install(Path(environ["HOME"]) / "bin" / "xclip", script)
    began = time.monotonic()
    copy(VALUE, seconds=0, environ=environ)
    assert time.monotonic() - began < 30
    for left in clearers(environ):
        os.kill(int(left.name), signal.SIGKILL)


def test_a_wayland_session_is_preferred(environ: dict[str, str]) -> None:
    for name in ("wl-copy", "wl-paste"):
        install(Path(environ["HOME"]) / "bin" / name, '#!/bin/sh\ncat > "$HOME/wayland"\n')
    copied = copy(VALUE, seconds=0, environ={**environ, "WAYLAND_DISPLAY": "wayland-0"})
    assert copied.tool == "wl-copy"
    assert (Path(environ["HOME"]) / "wayland").read_bytes() == VALUE


def test_a_terminal_is_asked_only_when_told_and_never_cleared() -> None:
    sequence = b"\x1b]52;c;" + base64.b64encode(VALUE) + b"\x07"
    with Terminal() as terminal:
        copied = copy(VALUE, by_terminal=True, environ={}, terminal=terminal.path)
        assert copied == Copied("the terminal", None)
        assert terminal.screen() == sequence
        copy(VALUE, by_terminal=True, environ={"TMUX": "/run/x,1,0"}, terminal=terminal.path)
        inner = sequence.replace(b"\x1b", b"\x1b\x1b")
        assert terminal.screen() == b"\x1bPtmux;" + inner + b"\x1b\\"


def test_a_terminal_that_is_not_there_or_a_value_too_long_for_it_is_refused() -> None:
    with pytest.raises(UsageError, match="needs a terminal"):
        copy(VALUE, by_terminal=True, environ={}, terminal="/nonexistent")
    with Terminal() as terminal, pytest.raises(UsageError, match="at most 50000 bytes"):
        copy(bytes(60_000), by_terminal=True, environ={}, terminal=terminal.path)


def test_the_clearing_process_imports_nothing_from_here(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json.py", "hmac.py"):
        (tmp_path / name).write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    hostile = {**environ, "PYTHONPATH": os.fspath(tmp_path)}
    assert copy(VALUE, seconds=1, environ=hostile).cleared_after == 1
    wait(lambda: not clearers(environ))
    assert held(environ) == b""
