"""What people look at: tables, facts, JSON, messages, progress.

The answer goes to standard output, everything else to standard error. All text that is not our
literal passes `sanitize.safe` here, and Rich is only ever given finished text, never markup.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from openclaw_cli.cli import stdout as way_out
from openclaw_cli.cli.layout import Column, cut, fit, kept_in_place, wrapped
from openclaw_cli.errors import OpenclawError
from openclaw_cli.sanitize import safe

SCHEMA = 1
"""The number in every JSON answer; it changes when a field changes its meaning or goes away."""

PROGRESS_AFTER = 1.0  # seconds

_LINES = 24  # of a terminal that does not say
_TICK = 0.2  # seconds between two pictures of the progress line
_WIPE = "\r\x1b[K"
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"

TONES = {"attention": "35", "bad": "31", "quiet": "2", "strong": "1"}
"""What a colour may mean, and its SGR number; nothing is coloured for any other reason.

What is well has no colour, and what needs a look is magenta: red and magenta can be read on a dark
and on a light background in the usual palettes (2.4:1 at the least, mostly above 3:1), green and
yellow on a light one cannot (down to 1.7:1). The words say all of it as well.
"""

_STYLES = {"attention": "magenta", "bad": "red", "quiet": "dim"}  # the same in Rich's words

STATES = {
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
        self._dots = "…" if self.unicode else ".."
        self.width = _width(stdout, environ) if self.on_terminal else 0
        self.quiet = quiet
        self.as_json = as_json
        self._shown: Progress | None = None
        self._held: list[str] | None = None

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
        shown = safe(text) if self._held is None else cut(safe(text), self.width, self._dots)
        self._answer(self.paint(shown, tone) + "\n")

    def drawn(self, text: str) -> None:
        """Write a picture that was made of safe text, as `cli.timeline` does."""
        self._answer(text)

    def facts(self, facts: Sequence[tuple[str, str] | tuple[str, str, str]]) -> None:
        """Write what is known of one thing: a label and a text on each line, perhaps a tone."""
        widest = max((way_out.width(safe(fact[0])) for fact in facts), default=0)
        room = self.width - widest - 2
        lines = []
        for label, text, *tone in facts:
            begins = self.paint(way_out.padded(safe(label), widest), "quiet")
            for line in wrapped(safe(text), room):
                lines.append(f"{begins}  {self.paint(line, *tone)}".rstrip() + "\n")
                begins = " " * widest
        self._answer("".join(lines))

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Write rows: whole and plainly aligned when piped, fitted to the width on a terminal."""
        cells = [[safe(cell) or "-" for cell in row] for row in rows]
        if not self.on_terminal:
            self._answer(way_out.columns([column.title for column in columns], cells))
            return
        shown, lines = fit(columns, cells, self.width, dots=self._dots)
        lines = [[kept_in_place(cell) for cell in line] for line in lines]
        if self.coloured:
            self._answer(self._drawn(shown, lines))
        else:
            self._answer(way_out.columns([column.title for column in shown], lines))

    @contextmanager
    def screen(self) -> Iterator[int]:
        """Draw what is written meanwhile in place of what the terminal shows, in one piece.

        The answer is how many lines there are. The window is measured each time: it may have been
        resized, and a line too many would push what was drawn before out of its place.
        """
        self.width = _width(self._stdout, os.environ)
        height = _height(self._stdout)
        self._held = []
        try:
            yield height
            lines = "".join(self._held).splitlines()[:height]
        finally:
            self._held = None
        # Not wiped first: tmux would keep each picture in its history, and others would flicker.
        self._answer(_HOME + f"{_REST_OF_LINE}\n".join(lines) + _REST_OF_LINE + _REST_OF_SCREEN)

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

    def _drawn(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
        from openclaw_cli.cli import table

        if len(rows) > table.MOST_ROWS:
            return way_out.columns([column.title for column in columns], rows)
        styles = {state: _STYLES[tone] for state, tone in STATES.items()}
        return table.drawn(columns, rows, self.width, styles, rule=self.unicode)

    def _paint_message(self, text: str, tone: str) -> str:
        return _sgr(text, tone) if self._messages_coloured else text

    def _room(self) -> int:
        return _width(self._stderr, os.environ) if self._moving else 0

    def _answer(self, text: str) -> None:
        if self._held is None:
            way_out.write_all(text.encode(), self._stdout)
        else:
            self._held.append(text)

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


def counted(count: int, what: str) -> str:
    """Return how many there are of something, in words: "1 secret", "2 secrets"."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _sgr(text: str, tone: str) -> str:
    return f"\x1b[{TONES[tone]}m{text}\x1b[0m" if tone else text


def _hint(hint: str) -> str:
    return f"  hint: {safe(hint)}\n" if hint else ""


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


def _height(descriptor: int) -> int:
    try:
        return os.get_terminal_size(descriptor).lines or _LINES
    except OSError:
        return _LINES


def _unicode(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is known to take more than ASCII, by the locale's usual order."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if environ.get(name):
            return "utf" in environ[name].lower()
    return False
