"""`secrets edit`: a value in the user's editor, in a file that never touches a disk.

The file is 0600 in a 0700 directory on a tmpfs, overwritten and removed whatever happens; what a
SIGKILL leaves, the next edit removes. A tmpfs can be swapped out, and an editor may be set up to
keep copies elsewhere: for vi, vim and nvim we turn swap, backup, undo and history files off; other
editors write theirs beside the file, where they are removed with it, unless they are set up to
write them into a directory of their own.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shlex
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Self

from openclaw_cli.cli.ask import LONGEST_VALUE
from openclaw_cli.errors import ConfigError, StorageError, UsageError
from openclaw_cli.files import private_directory
from openclaw_cli.store.keys import session
from openclaw_cli.which import which

_IN_MEMORY = ("tmpfs", "ramfs")
_PREFIX = "openclaw-edit-"
_EDITORS = ("editor", "nano", "vi")  # when neither VISUAL nor EDITOR is set
_FRESH = 10  # seconds in which a directory may be made and not yet locked
_EDITOR_HINT = "export EDITOR=vim"
_VIM = ("vim", "nvim", "gvim")
_VIM_QUIET = (
    *("-n", "-i", "NONE"),  # no swap file; no viminfo, no shada
    "-c",
    "set nobackup nowritebackup noundofile nofixendofline",
)


def edit(
    value: bytes, *, environ: Mapping[str, str] | None = None, directory: str | None = None
) -> bytes | None:
    """Let a person edit `value`, and give the new one; None when it is the same.

    `directory` is used even if it is on a disk; without it a tmpfs is looked for, and UsageError
    raised when there is none. A final newline that the value did not have is taken off, for most
    editors add one. Raises UsageError for what is not text and for an emptied or too long file,
    ConfigError for an editor that cannot be started, StorageError for one that failed. The caller
    sees to it that there is a terminal.
    """
    environ = os.environ if environ is None else environ
    if b"\0" in value or not _is_text(value):
        raise UsageError(
            "the value is not text, an editor would damage it",
            hint="openclaw secrets set NAME --value-file FILE",
        )
    command = _editor(environ)
    place = directory or _memory(environ)
    with _Signals() as signals, _private_file(value, place) as path:
        _run([*command, path], environ, signals)
        edited = _read_back(path)
    if not value.endswith(b"\n") and edited.endswith(b"\n"):
        edited = edited[:-1]
    if not edited:
        raise UsageError(
            "the file was emptied, nothing was changed",
            hint="to have it no more: openclaw secrets delete NAME",
        )
    if len(edited) > LONGEST_VALUE:
        raise UsageError(
            "the edited value has more than 64 KiB, nothing was changed",
            hint="keep the key that encrypts the data, not the data",
        )
    return None if edited == value else edited


def _editor(environ: Mapping[str, str]) -> list[str]:
    asked = environ.get("VISUAL") or environ.get("EDITOR")
    path = environ.get("PATH")
    try:
        choices = [shlex.split(asked)] if asked else [[name] for name in _EDITORS]
    except ValueError:
        raise ConfigError("VISUAL or EDITOR has an open quote", hint=_EDITOR_HINT) from None
    for words in filter(None, choices):
        program = which(words[0], path=path)
        if program:
            return [program, *_quietly(program), *words[1:]]
    what = "the editor that VISUAL or EDITOR names" if asked else "an editor"
    raise ConfigError(f"{what} is not found", hint=_EDITOR_HINT)


def _quietly(program: str) -> tuple[str, ...]:
    # Through links: on Debian, vi is vim.basic, vim.tiny, nvi or busybox.
    kind = os.path.basename(os.path.realpath(program)).split(".")[0]
    if kind not in _VIM:
        return ()
    return ("-f", *_VIM_QUIET) if os.path.basename(program).startswith("g") else _VIM_QUIET


def _memory(environ: Mapping[str, str]) -> str:
    """Return a folder in memory that is hidden from agents, as `/dev/shm` itself is not."""
    for place in (session.folder(environ), session.folder({})):
        above = os.path.dirname(place)
        if os.access(above, os.W_OK | os.X_OK) and filesystem(above) in _IN_MEMORY:
            private_directory(place).close()
            return place
    raise UsageError(
        "no place in memory was found for the file to edit: /dev/shm is not a tmpfs",
        hint="openclaw secrets set NAME, which needs no file",
    )


def filesystem(path: str) -> str:
    """Name the type of the file system that `path` is on, as mountinfo has it; "" if unknown."""
    try:
        device = os.stat(path).st_dev
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
            lines = [line.split() for line in mounts]
    except OSError:
        return ""
    number = f"{os.major(device)}:{os.minor(device)}"
    types = {words[words.index("-") + 1] for words in lines if words[2] == number}
    return types.pop() if len(types) == 1 else ""


@contextmanager
def _private_file(value: bytes, place: str) -> Iterator[str]:
    """Make the file, and at the end remove it and all that the editor put beside it."""
    _sweep(place)
    home = os.path.join(place, f"{_PREFIX}{os.geteuid()}-{secrets.token_hex(8)}")
    held = -1
    try:
        os.mkdir(home, 0o700)
        held = _hold(home)
        path = os.path.join(home, "value")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(path, flags, 0o600), "wb") as file:
            file.write(value)
        yield path
    except OSError:
        raise StorageError(
            "the file to edit could not be written or read back", hint="df -h /dev/shm"
        ) from None
    finally:
        _wipe(home)
        if held >= 0:
            os.close(held)


class _Signals:
    r"""Signals while the file exists: none interrupts us, so the file is always wiped.

    Ctrl-C and Ctrl-\\ are the editor's keys. What would end us ends the editor, and us afterwards.
    The handlers are functions: unlike SIG_IGN, they do not pass to the editor.
    """

    def __init__(self) -> None:
        self.editor: subprocess.Popen[bytes] | None = None
        self.received: list[int] = []
        self._before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGQUIT):
            self._before[number] = signal.signal(number, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._end)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.received:
            os.kill(os.getpid(), self.received[0])

    def _end(self, number: int, _: FrameType | None) -> None:
        self.received.append(number)
        self.end_editor()

    def end_editor(self) -> None:
        """End the editor if we were told to end: gently at first."""
        if self.editor is not None and self.received:
            self.editor.send_signal(signal.SIGTERM if len(self.received) == 1 else signal.SIGKILL)


def _run(command: list[str], environ: Mapping[str, str], signals: _Signals) -> None:
    try:
        with subprocess.Popen(command, env=environ, umask=0o077) as running:  # noqa: S603
            signals.editor = running
            signals.end_editor()  # told so before there was one
            status = running.wait()
    except OSError:
        raise ConfigError("the editor could not be started", hint=_EDITOR_HINT) from None
    if status:
        raise StorageError(
            f"the editor ended with status {status}, nothing was changed",
            hint="export EDITOR=PROGRAM, one that waits until the file is closed",
        )


def _read_back(path: str) -> bytes:
    # By path, since editors replace the file; never through a link.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StorageError(
                "the editor left something else than a file",
                hint="export EDITOR=PROGRAM, one that edits the file it is given",
            )
        return file.read(LONGEST_VALUE + 2)


def _hold(home: str) -> int:
    """Lock the directory for as long as we live, so that `_sweep` knows it is in use."""
    descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _sweep(place: str) -> None:
    """Remove what an edit that was killed left behind."""
    with suppress(OSError):
        left = [name for name in os.listdir(place) if name.startswith(f"{_PREFIX}{os.geteuid()}-")]
        for name in left:
            home = os.path.join(place, name)
            with suppress(OSError):  # in use, or somebody else's
                descriptor = _hold(home)
                try:
                    found = os.fstat(descriptor)
                    fresh = time.time() - found.st_mtime < _FRESH
                    if found.st_uid == os.geteuid() and not fresh:
                        _wipe(home)
                finally:
                    os.close(descriptor)


def _wipe(home: str) -> None:
    """Overwrite and remove every file in `home`, and `home`."""
    for folder, _, names in os.walk(home):
        for name in names:
            _overwrite(os.path.join(folder, name))
    shutil.rmtree(home, ignore_errors=True)


def _overwrite(path: str) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
                os.write(descriptor, bytes(found.st_size))
        finally:
            os.close(descriptor)


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
