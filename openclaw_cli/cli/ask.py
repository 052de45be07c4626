"""What is asked: values, passphrases, confirmations, and values that come by a stream or a file.

Nothing is asked without a terminal, or with --no-input: those raise UsageError and say how to do
without. What is typed hidden is read from the terminal itself, with echo off or not at all
(`getpass` falls back to an echoing read of standard input).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from openclaw_cli import newfile
from openclaw_cli.cli.stdout import write_all
from openclaw_cli.errors import (
    ConflictError,
    DeniedError,
    NotFoundError,
    StorageError,
    UsageError,
)
from openclaw_cli.sanitize import safe

LONGEST_VALUE = 64 * 1024  # bytes; one value of the store
LONGEST_LINE = 4095  # bytes; a terminal in line mode silently drops what is typed beyond (termios)

_PASTE_PAUSE = 0.05  # seconds in which the rest of a paste arrives
_CHUNK = 16 * 1024
_FILE_HINT = "--value-file FILE takes any bytes, line ends included"
_PIPE_HINT = "pipe the value in, or use --value-file FILE or --generate"


class Ask:
    """Questions to whoever sits at the terminal, if anybody does and may be asked.

    A question needs standard input to be a terminal, so `</dev/null` and pipes keep scripts from
    waiting; a passphrase may be asked while standard input is a pipe, as ssh does.
    """

    def __init__(
        self, *, no_input: bool = False, stdin: int = 0, terminal: str = "/dev/tty"
    ) -> None:
        self._no_input = no_input
        self._stdin = stdin
        self._terminal = terminal

    @property
    def at_terminal(self) -> bool:
        """Whether a question may be asked at all."""
        return not self._no_input and _is_terminal(self._stdin)

    def need_terminal(self, what: str, *, hint: str) -> None:
        """Raise UsageError unless a person can be asked for `what`."""
        if not self.at_terminal:
            raise UsageError(f"{what} needs a terminal{self._why()}", hint=hint)

    def new_value(self, name: str, *, verbatim: bool = False, twice: bool = False) -> bytes:
        """Take the new value of a secret: from standard input, or hidden where that is a terminal.

        `verbatim` keeps a piped value's final newline; `twice` has a typed one repeated.
        """
        if not _is_terminal(self._stdin):
            return read_value(self._stdin, verbatim=verbatim)
        self.need_terminal(f"the value of {name}", hint=_PIPE_HINT)
        return self._hidden_checked(f"value of {name}", twice=twice, hint=_FILE_HINT)

    def passphrase(self, label: str = "passphrase", *, twice: bool = False) -> bytes:
        """Ask for a passphrase, hidden; `twice` where a new one is chosen."""
        hint = "--passphrase-file FILE" if twice else "openclaw store unlock, at a terminal"
        if self._no_input:
            raise UsageError(f"the {label} is needed{self._why()}", hint=hint)
        return self._hidden_checked(label, twice=twice, hint=hint)

    def confirm(self, question: str, *, hint: str) -> bool:
        """Ask a question whose answer is no unless it is yes. The hint names --yes or its like."""
        self.need_terminal("a confirmation", hint=hint)
        answer = self._line(f"{safe(question)} [y/N] ", hint=hint)
        return answer.strip().lower() in (b"y", b"yes")

    def confirm_by_name(self, question: str, name: str, *, hint: str) -> bool:
        """Ask for `name` to be typed, for what cannot be undone."""
        self.need_terminal("a confirmation", hint=hint)
        answer = self._line(f"{safe(question)} Type {safe(name)} to go on: ", hint=hint)
        return answer.strip() == os.fsencode(name)

    def _hidden_checked(self, label: str, *, twice: bool, hint: str) -> bytes:
        typed = self._hidden(label, hint=hint)
        if twice and self._hidden(f"{label}, again", hint=hint) != typed:
            raise ConflictError(
                "the two are not the same, nothing was changed",
                hint="begin again, and type the same twice",
            )
        return typed

    def _hidden(self, label: str, *, hint: str) -> bytes:
        with self._opened(hint) as terminal, _no_echo(terminal):
            try:
                write_all(f"{safe(label)} (hidden): ".encode(), terminal)
                line = _typed_line(terminal)
                more = _more_waits(terminal)
            finally:
                write_all(b"\n", terminal)
        if more:
            raise UsageError("what was typed has more than one line", hint=hint)
        if len(line) >= LONGEST_LINE:
            raise UsageError(f"a terminal takes at most {LONGEST_LINE - 1} bytes", hint=hint)
        if not line:
            raise UsageError("nothing was typed", hint=hint)
        return line

    def _line(self, prompt: str, *, hint: str) -> bytes:
        with self._opened(hint) as terminal:
            try:
                write_all(prompt.encode(), terminal)
                return _typed_line(terminal)
            except KeyboardInterrupt:  # the shell's next prompt has a line of its own
                write_all(b"\n", terminal)
                raise

    @contextmanager
    def _opened(self, hint: str) -> Iterator[int]:
        try:
            terminal = os.open(self._terminal, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            raise UsageError(f"a question needs a terminal{self._why()}", hint=hint) from None
        try:
            yield terminal
        finally:
            os.close(terminal)

    def _why(self) -> str:
        return " and --no-input is set" if self._no_input else " and there is none"


def read_value(descriptor: int = 0, *, verbatim: bool = False) -> bytes:
    r"""Read a value from a stream, bounded, without its one final newline unless `verbatim`.

    LF and CR LF each count as one newline: a key that ends in an invisible CR works nowhere.
    Raises UsageError for an empty value or one of more than 64 KiB, StorageError for a stream that
    cannot be read.
    """
    try:
        data = _read(descriptor, LONGEST_VALUE + len(b"\r\n") + 1)
    except OSError as refused:
        raise _unreadable("standard input", refused) from None
    if not verbatim and data.endswith(b"\n"):
        data = data[: -2 if data.endswith(b"\r\n") else -1]
    return _checked(data, "standard input")


def read_value_file(path: str) -> bytes:
    """Read a value from a file, every byte of it; "-" is standard input, as exactly.

    A named pipe is a file too, so `--value-file <(command)` works. Raises NotFoundError,
    DeniedError, StorageError, and UsageError for anything else than a file, for an empty one and
    for one of more than 64 KiB.
    """
    if path == "-":
        return read_value(verbatim=True)
    where = safe(path)
    try:
        _check_kind(os.stat(path), where)  # before opening, which a device might notice
        descriptor = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            _check_kind(os.fstat(descriptor), where)
            data = _read(descriptor, LONGEST_VALUE + 1)
        finally:
            os.close(descriptor)
    except OSError as refused:
        raise _unreadable(where, refused) from None
    except ValueError:  # a NUL in the path
        raise UsageError(f"{where} is not a path", hint=_FILE_HINT) from None
    return _checked(data, where)


def _check_kind(found: os.stat_result, where: str) -> None:
    if stat.S_ISREG(found.st_mode) or stat.S_ISFIFO(found.st_mode):
        return
    what = "a directory" if stat.S_ISDIR(found.st_mode) else "not a file"
    raise UsageError(f"{where} is {what}", hint=_PIPE_HINT)


def _checked(data: bytes, where: str) -> bytes:
    if not data:
        raise UsageError(f"{where} is empty, and so is no value", hint=_PIPE_HINT)
    if len(data) > LONGEST_VALUE:
        raise UsageError(
            f"{where} has more than 64 KiB, the most that one value may have",
            hint="keep the key that encrypts the data, not the data",
        )
    return data


def _unreadable(where: str, refused: OSError) -> NotFoundError | DeniedError | StorageError:
    if refused.errno == errno.ENOENT:
        return newfile.missing(where)
    if refused.errno in (errno.EACCES, errno.EPERM):
        return DeniedError(f"{where} may not be read", hint=f"ls -l {where}")
    word = errno.errorcode.get(refused.errno or 0, "unknown reason")
    return StorageError(f"{where} could not be read: {word}", hint=f"ls -l {where}")


def _read(descriptor: int, most: int) -> bytes:
    data = bytearray()
    while len(data) < most:
        try:
            chunk = os.read(descriptor, min(_CHUNK, most - len(data)))
        except BlockingIOError:  # some parents leave their pipes non-blocking
            _readable(descriptor, None)
            continue
        if not chunk:
            break
        data += chunk
    return bytes(data)


def _typed_line(terminal: int) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        chunk = os.read(terminal, LONGEST_LINE + 1)  # line mode gives no more than one line
        if not chunk:
            break
        line += chunk
    return bytes(line.removesuffix(b"\n"))


def _more_waits(terminal: int) -> bool:
    """Say whether the paste goes on; what waits is thrown away when the echo comes back.

    Without this, the other lines of a pasted key would be run by the shell.
    """
    return _readable(terminal, _PASTE_PAUSE)


def _readable(descriptor: int, seconds: float | None) -> bool:
    import select

    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    return bool(ready.poll(None if seconds is None else seconds * 1000))


@contextmanager
def _no_echo(terminal: int) -> Iterator[None]:
    import termios

    try:
        before = termios.tcgetattr(terminal)
        hidden = list(before)
        hidden[3] = (before[3] | termios.ICANON) & ~(termios.ECHO | termios.ECHONL)
        termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)
    except termios.error:
        raise UsageError("what is typed cannot be hidden here", hint=_PIPE_HINT) from None
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
