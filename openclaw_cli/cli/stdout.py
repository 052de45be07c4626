"""The way out: values and plain columns, written whole or said to have failed.

Lean: the hot road imports it. Nothing here goes through `sys.stdout`, whose buffer reports a closed
or full output too late or not at all (Python exits 0 when its standard output is closed).
"""

from __future__ import annotations

import errno
import os

from openclaw_cli.errors import StorageError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STDOUT = 1
STDERR = 2
LEFT_TO_RIGHT_MARK = "\u200e"

_PLAIN_WORDS = {
    errno.EBADF: "it is closed",
    errno.ENOSPC: "no space is left there",
    errno.EDQUOT: "the quota there is used up",
    errno.EFBIG: "the file would be too large",
    errno.EIO: "the device failed",
}


def hold_closed_streams() -> None:
    """Fill descriptors 0 to 2 where they are closed; call it before any file is opened.

    Else the first file opened, a store or a trail, would become standard output and receive the
    value. Each is filled the wrong way round, so that using it still fails.
    """
    for descriptor in (0, STDOUT, STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if descriptor else os.O_WRONLY)


def value(data: bytes, descriptor: int = STDOUT) -> None:
    """Give a value away: exact bytes when piped, and one newline after it on a terminal.

    Raises UsageError when a terminal would act on the value or hide part of it, and otherwise what
    `write_all` raises.
    """
    if not os.isatty(descriptor):
        write_all(data, descriptor)
        return
    from openclaw_cli.sanitize import printable

    if not printable(data):
        raise UsageError(
            "the value has control or invisible characters, which a terminal would act on",
            hint="send it elsewhere, for example to a file (> FILE) or to od -c (| od -c)",
        )
    write_all(data + b"\n", descriptor)


def write_all(data: bytes, descriptor: int = STDOUT) -> None:
    """Write every byte of `data`, or raise.

    BrokenPipeError comes through as it is (the reader left: exit status 141, no message);
    everything else is a StorageError.
    """
    rest = memoryview(data)
    while rest:
        try:
            written = os.write(descriptor, rest)
        except BlockingIOError:
            _wait(descriptor)
            continue
        except BrokenPipeError:
            raise
        except OSError as refused:
            raise _failed(descriptor, refused.errno or 0) from None
        if written == 0:  # no device of ours does this; without it, the loop would never end
            raise _failed(descriptor, errno.EIO)
        rest = rest[written:]


def columns(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows as plain aligned columns, two spaces apart, with a line of titles.

    The texts must be safe already. An empty cell becomes "-", so that each line has as many
    columns as the first and `awk` can count them.
    """
    lines = [list(titles)] + [[cell or "-" for cell in row] for row in rows]
    plain = "".join(["".join(line) for line in lines]).isascii()
    measure = len if plain else width
    widths = [max(map(measure, column)) for column in zip(*lines, strict=True)]
    if plain:
        form = "  ".join([f"%-{wide}s" for wide in widths[:-1]] + ["%s"])
        return "".join([(form % tuple(line)).rstrip() + "\n" for line in lines])
    return "".join(["  ".join(map(padded, line, widths)).rstrip() + "\n" for line in lines])


def width(text: str) -> int:
    """Count the columns that `text` takes on a terminal, letter by letter, as wcwidth does.

    Two for wide letters, none for accents, vowel signs and what follows in a Hangul syllable.
    """
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(
        0
        if category(letter) in ("Mn", "Me")
        or "\u1160" <= letter <= "\u11ff"
        or letter == LEFT_TO_RIGHT_MARK
        else 2
        if east_asian_width(letter) in "WF"
        else 1
        for letter in text
    )


def padded(text: str, wide: int) -> str:
    """Return `text` with as many spaces after it as `wide` columns take."""
    return text + " " * (wide - width(text))


def _wait(descriptor: int) -> None:
    """Wait until `descriptor` takes more: Node and others hand us non-blocking pipes."""
    import select

    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    ready.poll()


def _failed(descriptor: int, code: int) -> StorageError:
    stream = {STDOUT: "standard output", STDERR: "standard error"}.get(descriptor, "the output")
    why = _PLAIN_WORDS.get(code) or errno.errorcode.get(code, "unknown reason")
    return StorageError(
        f"{stream} could not be written: {why}", hint="what was written so far is not complete"
    )
