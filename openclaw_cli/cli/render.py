"""What people look at: tables, facts, JSON, messages, progress.

The answer goes to standard output, everything else to standard error. All text that is not our
literal passes `sanitize.safe` here, and Rich is only ever given finished text, never markup. It is
imported for a table on a terminal and for nothing else.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from openclaw_cli.cli import stdout as way_out
from openclaw_cli.errors import OpenclawError
from openclaw_cli.sanitize import safe

SCHEMA = 1
"""The number in every JSON answer; it changes when a field changes its meaning or goes away."""

RICH_ROWS = 200  # Rich takes 0.2 ms a row: more rows are laid out plainly
PROGRESS_AFTER = 1.0  # seconds

_GAP = 2
_FEWEST = 6  # a cell cut shorter than this says nothing
_TICK = 0.2  # seconds between two pictures of the progress line
_WIPE = "\r\x1b[K"

TONES = {"good": "32", "attention": "33", "bad": "31", "quiet": "2", "strong": "1"}
"""What a colour may mean, and its SGR number; nothing is coloured for any other reason."""

STATES = {
    "ok": "good",
    "done": "good",
    "current": "good",
    "ready": "good",
    "due": "attention",
    "old": "attention",
    "pending": "attention",
    "warning": "attention",
    "resting": "attention",
    "stopped": "attention",
    "overdue": "bad",
    "failed": "bad",
    "plain text": "bad",
    "missing": "bad",
    "damaged": "bad",
    "denied": "bad",
    "expired": "quiet",
    "used up": "quiet",
    "retired": "quiet",
    "deleted": "quiet",
    "asleep": "quiet",
}
"""The tone of each state, for columns that hold one."""


class Column(NamedTuple):
    """One column of a table, and what becomes of it where the terminal is narrow.

    First `short` takes the title's place, then cells are cut in their middle, never below
    `shortest` (0: never cut), then the column with the lowest `weight` is left out.
    """

    title: str
    weight: int = 1
    shortest: int = 0
    short: str = ""
    states: bool = False


class Output:
    """The two streams of one run of a command, each judged on its own."""

    def __init__(
        self,
        *,
        stdout: int = way_out.STDOUT,
        stderr: int = way_out.STDERR,
        environ: Mapping[str, str] | None = None,
        quiet: bool = False,
        as_json: bool = False,
    ) -> None:
        environ = os.environ if environ is None else environ
        plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
        self._stdout, self._stderr = stdout, stderr
        self.on_terminal = _is_terminal(stdout)
        self.messages_on_terminal = _is_terminal(stderr)
        self.coloured = self.on_terminal and not plain
        self._messages_coloured = self.messages_on_terminal and not plain
        self._moving = self.messages_on_terminal and environ.get("TERM") != "dumb"
        self.unicode = _unicode(environ)
        self.width = _width(stdout, environ) if self.on_terminal else 0
        self.quiet = quiet
        self.as_json = as_json
        self._shown: Progress | None = None

    def value(self, data: bytes) -> None:
        """Give a value away; see `cli.stdout.value`."""
        way_out.value(data, self._stdout)

    def value_stream(self, data: bytes) -> None:
        """Give text that holds values away as it is; refused on a terminal like a value."""
        if self.on_terminal and data.endswith(b"\n"):
            data = data[:-1]
        way_out.value(data, self._stdout) if data else None

    def json(self, answer: Mapping[str, object]) -> None:
        """Write `answer` as JSON with its schema number: one line when piped, indented otherwise.

        ASCII only, so names and labels cannot act on a terminal.
        """
        import json

        indent = 2 if self.on_terminal else None
        self._answer(json.dumps({"schema": SCHEMA, **answer}, indent=indent) + "\n")

    def json_line(self, answer: Mapping[str, object]) -> None:
        """Write one of many answers, each a line, for `--follow --json`."""
        import json

        self._answer(json.dumps({"schema": SCHEMA, **answer}) + "\n")

    def line(self, text: str = "", tone: str = "") -> None:
        """Write a line of the answer."""
        self._answer(self.paint(safe(text), tone) + "\n")

    def drawn(self, text: str) -> None:
        """Write a picture that was made of safe text, as `cli.timeline` does."""
        self._answer(text)

    def facts(self, facts: Sequence[tuple[str, str] | tuple[str, str, str]]) -> None:
        """Write what is known of one thing: a label and a text on each line, perhaps a tone."""
        widest = max((way_out.width(safe(fact[0])) for fact in facts), default=0)
        lines = []
        for label, text, *tone in facts:
            named = self.paint(_filled(safe(label), widest), "quiet")
            lines.append(f"{named}  {self.paint(safe(text), *tone)}\n")
        self._answer("".join(lines))

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Write rows: whole and plainly aligned when piped, fitted to the width on a terminal."""
        cells = [[safe(cell) or "-" for cell in row] for row in rows]
        if not self.on_terminal:
            self._answer(way_out.columns([column.title for column in columns], cells))
            return
        shown, lines = fit(columns, cells, self.width, dots="…" if self.unicode else "..")
        if self.coloured and len(rows) <= RICH_ROWS:
            self._answer(_rich_table(shown, lines, self.width, rule=self.unicode))
        else:
            self._answer(way_out.columns([column.title for column in shown], lines))

    def done(self, message: str) -> None:
        """Say what was done; silent with --quiet and with --json, whose answer says it."""
        self.note(message)

    def note(self, message: str) -> None:
        """Say something useful that is neither answer nor warning; silent as `done` is."""
        if not self.quiet and not self.as_json:
            self._message(safe(message) + "\n")

    def aside(self, message: str) -> None:
        """Pass on what somebody else said, to standard error."""
        if not self.as_json:
            self._message(safe(message) + "\n")

    def warn(self, message: str, *, hint: str = "") -> None:
        """Say what may hurt. With --json, a line {"warning": {"message", "hint"}}."""
        if self.as_json:
            self._message_json({"warning": {"message": message, "hint": hint}})
        else:
            prefix = self._paint_message("openclaw: warning:", "attention")
            self._message(f"{prefix} {safe(message)}\n{_hint(hint)}")

    def error(self, error: OpenclawError) -> None:
        """Say what went wrong. With --json, {"error": {"code", "kind", "message", "hint"}}."""
        if self.as_json:
            words = {"code": error.status, "kind": error.kind}
            words |= {"message": error.message, "hint": error.hint}
            self._message_json({"error": words})
        else:
            prefix = self._paint_message("openclaw:", "bad")
            self._message(f"{prefix} {safe(error.message)}\n{_hint(error.hint)}")

    @contextmanager
    def progress(self, label: str) -> Iterator[Progress]:
        """Show on a terminal that work goes on, once it has taken a second, and wipe it after."""
        showing = Progress(self._stderr, safe(label), self._room())
        if not self._moving or self.quiet or self.as_json:
            yield showing
            return
        self._shown = showing
        try:
            with showing:
                yield showing
        finally:
            self._shown = None

    def paint(self, text: str, tone: str = "") -> str:
        """Give `text`, which must be safe, the colour of its meaning where colours are wanted."""
        return _sgr(text, tone) if self.coloured else text

    def _paint_message(self, text: str, tone: str) -> str:
        return _sgr(text, tone) if self._messages_coloured else text

    def _room(self) -> int:
        return _width(self._stderr, os.environ) if self._moving else 0

    def _answer(self, text: str) -> None:
        way_out.write_all(text.encode(), self._stdout)

    def _message(self, text: str) -> None:
        """Write to standard error, where a failure changes nothing: there is nowhere to say it."""
        wiped = _WIPE if self._shown and self._shown.drawn else ""
        try:
            way_out.write_all(f"{wiped}{text}".encode(), self._stderr)
        except (OpenclawError, BrokenPipeError):
            return

    def _message_json(self, words: Mapping[str, object]) -> None:
        import json

        self._message(json.dumps(words) + "\n")


class Progress:
    """A line on the terminal that says what is being done and for how long."""

    def __init__(self, descriptor: int, label: str, room: int) -> None:
        self._descriptor, self._label, self._room = descriptor, label, room
        self._detail = ""
        self.drawn = False
        self._ended = threading.Event()
        self._drawer = threading.Thread(target=self._draw, daemon=True)

    def name(self, label: str) -> None:
        """Say from now on that something else is done."""
        self._label = safe(label)

    def say(self, detail: str) -> None:
        """Add how far it is, such as "12 of 100"."""
        self._detail = safe(detail)

    def __enter__(self) -> None:
        self._drawer.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._drawer.join()

    def _draw(self) -> None:
        began = time.monotonic()
        if self._ended.wait(PROGRESS_AFTER):
            return
        while True:
            seconds = int(time.monotonic() - began)
            words = [self._label, self._detail, f"{seconds} s"]
            line = cut(", ".join(word for word in words if word), self._room - 1, "..")
            self._show(f"{_WIPE}{line}")
            self.drawn = True
            if self._ended.wait(_TICK):
                self._show(_WIPE)
                return

    def _show(self, text: str) -> None:
        try:
            way_out.write_all(text.encode(), self._descriptor)
        except (OpenclawError, BrokenPipeError):
            self._ended.set()


def fit(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int, *, dots: str = "…"
) -> tuple[list[Column], list[list[str]]]:
    """Choose and cut columns so that every row takes one line of `room` columns.

    The texts must be safe. Short titles are tried first; then cells are cut in the columns that
    allow it, the widest first; then the column that matters least is left out, and so on.
    """
    kept = list(range(len(columns)))
    for shortened in (False, True):
        titled = [_titled(column, short=shortened) for column in columns]
        natural = [_widest(titled[index], index, rows) for index in kept]
        if _total(natural) <= room:
            return titled, [list(row) for row in rows]
    titled = [_titled(column, short=True) for column in columns]
    while True:
        natural = [_widest(titled[index], index, rows) for index in kept]
        least = [
            min(wide, max(titled[index].shortest or wide, way_out.width(titled[index].title)))
            for index, wide in zip(kept, natural, strict=True)
        ]
        if _total(least) <= room or len(kept) == 1:
            break
        kept.remove(min(kept, key=lambda index: (titled[index].weight, -index)))
    widths = _shared(natural, least, room)
    lines = [
        [cut(row[index], wide, dots) for index, wide in zip(kept, widths, strict=True)]
        for row in rows
    ]
    return [titled[index] for index in kept], lines


def counted(count: int, what: str) -> str:
    """Return how many there are of something, in words: "1 secret", "2 secrets"."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def cut(text: str, wide: int, dots: str = "…") -> str:
    """Shorten `text` in its middle: the beginning and the end tell names apart."""
    if way_out.width(text) <= wide:
        return text
    room = max(wide - len(dots), 0)
    head, tail = text[: (room + 1) // 2], text[len(text) - room // 2 :]
    while way_out.width(head + dots + tail) > max(wide, len(dots)) and (head or tail):
        head, tail = (head[:-1], tail) if len(head) >= len(tail) else (head, tail[1:])
    return (head + dots + tail)[: max(wide, 0)]


def _shared(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Take columns away from the widest that may give some, one by one, until all fit."""
    widths = list(natural)
    while _total(widths) > room:
        givers = [index for index, wide in enumerate(widths) if wide > least[index]]
        if not givers:  # one column left, and wider than the terminal
            return [max(room, _FEWEST)]
        widths[max(givers, key=lambda index: widths[index] - least[index])] -= 1
    return widths


def _titled(column: Column, *, short: bool) -> Column:
    if not short or not column.short:
        return column
    return Column(column.short, column.weight, column.shortest, states=column.states)


def _widest(column: Column, index: int, rows: Sequence[Sequence[str]]) -> int:
    return max([way_out.width(column.title), *(way_out.width(row[index]) for row in rows)])


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _rich_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int, *, rule: bool
) -> str:
    from io import StringIO

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD if rule else None,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0) if rule else (0, _GAP, 0, 0),
        header_style="bold",
        border_style="dim",
    )
    for column in columns:
        table.add_column(Text(column.title), no_wrap=True)
    styles = {"good": "green", "attention": "yellow", "bad": "red", "quiet": "dim"}
    for row in rows:
        cells = [
            Text(cell, styles.get(STATES.get(cell, ""), "") if column.states else "")
            for column, cell in zip(columns, row, strict=True)
        ]
        table.add_row(*cells)
    drawn = StringIO()
    # Every choice is ours: else Rich would look at the environment and at the real terminal.
    console = Console(
        file=drawn, width=room, force_terminal=True, color_system="standard", _environ={}
    )
    console.print(table)
    return "".join(line.rstrip() + "\n" for line in drawn.getvalue().splitlines())


def _sgr(text: str, tone: str) -> str:
    return f"\x1b[{TONES[tone]}m{text}\x1b[0m" if tone else text


def _hint(hint: str) -> str:
    return f"  hint: {safe(hint)}\n" if hint else ""


def _filled(text: str, wide: int) -> str:
    return text + " " * (wide - way_out.width(text))


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _width(descriptor: int, environ: Mapping[str, str]) -> int:
    asked = environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdigit() and 0 < len(asked) < 5 and int(asked):  # noqa: PLR2004
        return int(asked)
    try:
        return os.get_terminal_size(descriptor).columns or 80
    except OSError:
        return 80


def _unicode(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is known to take more than ASCII, by the locale's usual order."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if environ.get(name):
            return "utf" in environ[name].lower()
    return False
