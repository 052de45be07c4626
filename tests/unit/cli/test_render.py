"""What people look at is readable, safe, and nothing else than what was asked for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time

import pytest

from openclaw_cli.cli.layout import Column
from openclaw_cli.cli.render import TONES, Output
from openclaw_cli.cli.stdout import width
from openclaw_cli.errors import NotFoundError, OpenclawError
from tests.unit.cli.terminal import Terminal
from tests.unit.cli.test_layout import COLUMNS

LONG = "team/payments/production/stripe-restricted-key-for-billing"
ROWS = [
    ["openai-api-key", "openai", "local", "3", "2d", "in 5 days", "ok"],
    [LONG, "stripe", "aws-secrets-manager", "7a9c1b2e-1111-2222-3333", "120d", "now", "overdue"],
    ["[/red]\x1b[2J\u202e", "postgres", "vault", "1", "3m", "", "due"],
]
COLOURFUL = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
ALLOWED = re.compile(r"\x1b\[(0|1|2|31|35)m")
NOBODY = NotFoundError("no secret is called x\x1b[2J", hint="openclaw secrets list")


def shown(terminal: Terminal, environ: dict[str, str] | None = None) -> str:
    output = Output(
        stdout=terminal.descriptor, stderr=terminal.descriptor, environ=environ or COLOURFUL
    )
    output.table(COLUMNS, ROWS)
    return terminal.screen().decode()


class Piped:
    """An output into two pipes, and what came out of them."""

    def __init__(self, *, quiet: bool = False, as_json: bool = False) -> None:
        (self._out, stdout), (self._err, stderr) = os.pipe(), os.pipe()
        self._writers = (stdout, stderr)
        self.output = Output(
            stdout=stdout, stderr=stderr, environ=COLOURFUL, quiet=quiet, as_json=as_json
        )

    def read(self) -> tuple[str, str]:
        for writer in self._writers:
            os.close(writer)
        with open(self._out, encoding="utf-8") as out, open(self._err, encoding="utf-8") as err:
            return out.read(), err.read()


def test_a_table_at_80_columns_has_one_line_a_row_and_names_that_can_be_told_apart() -> None:
    with Terminal(80) as terminal:
        lines = ALLOWED.sub("", shown(terminal)).splitlines()
    assert lines[0].split() == ["name", "provider", "backend", "ver", "age", "next", "state"]
    assert len(lines) == 2 + len(ROWS)
    assert all(width(line) <= 80 for line in lines)
    assert lines[3].startswith("team/paym")
    assert "…" in lines[3]
    assert lines[3].endswith("overdue")


def test_a_table_at_200_columns_cuts_nothing() -> None:
    with Terminal(200) as terminal:
        lines = ALLOWED.sub("", shown(terminal)).splitlines()
    assert "next rotation" in lines[0]
    assert LONG in lines[3]
    assert "7a9c1b2e-1111-2222-3333" in lines[3]
    assert "…" not in "".join(lines)


def test_a_narrow_terminal_leaves_out_what_matters_least() -> None:
    with Terminal(52) as terminal:
        lines = ALLOWED.sub("", shown(terminal)).splitlines()
    assert lines[0].split() == ["name", "age", "next", "state"]
    assert all(width(line) <= 52 for line in lines)


def test_colour_means_a_state_and_no_text_reaches_the_terminal_as_a_command() -> None:
    with Terminal() as terminal:
        text = shown(terminal)
    assert re.findall(r"\x1b\[3(\d)m(\w+)", text) == [("1", "overdue"), ("5", "due")]
    assert "[/red]\\x1b[2J\\u202e" in text
    assert "\x1b" not in ALLOWED.sub("", text)
    assert "\u202e" not in text


def test_wide_letters_and_accents_keep_a_terminals_columns_straight() -> None:
    names = ["收集員的鑰匙", "cafe\u0301", "กำลัง", "שלום", "plain"]
    with Terminal(80) as terminal:
        output = Output(stdout=terminal.descriptor, environ=COLOURFUL)
        output.table(COLUMNS, [[name, "openai", "", "1", "2d", "", "due"] for name in names])
        _, rule, *lines = ALLOWED.sub("", terminal.screen().decode()).splitlines()
    assert {width(line[: line.index("openai")]) for line in lines} == {14}
    assert {width(line.rstrip()) for line in lines} == {width(rule) - len("state") + len("due")}


def test_what_is_written_from_right_to_left_does_not_take_the_next_column_along() -> None:
    """Else a terminal that follows Unicode's rules shows "1   NAME" for NAME and version 1."""
    row = ["\u05e9\u05dc\u05d5\u05dd", "1"]
    with Terminal(80) as terminal:
        Output(stdout=terminal.descriptor, environ=COLOURFUL).table(
            [Column("a"), Column("b")], [row]
        )
        assert f"{row[0]}\u200e  1" in ALLOWED.sub("", terminal.screen().decode())
    piped = Piped()
    piped.output.table([Column("a"), Column("b")], [row])
    assert piped.read()[0].splitlines()[1] == f"{row[0]}  1"


# What usual terminals make of SGR 30 to 37, on the background they have; others lie between them.
PALETTES = {
    "xterm, dark": ("000000", "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd"),
    "xterm, light": ("ffffff", "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd"),
    "GNOME, dark": ("171421", "171421 c01c28 26a269 a2734c 12488b a347ba 2aa1b3"),
    "GNOME, light": ("ffffff", "171421 c01c28 26a269 a2734c 12488b a347ba 2aa1b3"),
    "macOS, dark": ("000000", "000000 990000 00a600 999900 0000b2 b200b2 00a6b2"),
    "macOS, light": ("ffffff", "000000 990000 00a600 999900 0000b2 b200b2 00a6b2"),
    "Windows, dark": ("0c0c0c", "0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd"),
    "Windows, light": ("f2f2f2", "0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd"),
    "Solarized, dark": ("002b36", "073642 dc322f 859900 b58900 268bd2 d33682 2aa198"),
    "Solarized, light": ("fdf6e3", "073642 dc322f 859900 b58900 268bd2 d33682 2aa198"),
}
LEAST_CONTRAST = 2.3  # the most that two colours other than black and white have in all of them


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, as the WCAG define it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", PALETTES)
def test_our_colours_are_legible_on_dark_and_on_light(palette: str) -> None:
    background, colours = PALETTES[palette]
    ours = [int(code) - 30 for code in TONES.values() if len(code) == 2]
    assert len(ours) == 2
    for number in ours:
        assert contrast(colours.split()[number], background) > LEAST_CONTRAST


def test_yellow_and_green_would_not_be() -> None:
    background, colours = PALETTES["xterm, light"]
    for number in (2, 3):
        assert contrast(colours.split()[number], background) < LEAST_CONTRAST


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_no_colour_where_none_is_wanted(environ: dict[str, str]) -> None:
    with Terminal() as terminal:
        text = shown(terminal, environ)
        output = Output(stdout=terminal.descriptor, stderr=terminal.descriptor, environ=environ)
        output.error(NOBODY)
        output.facts([("state", "overdue", "bad")])
        assert "\x1b" not in text + terminal.screen().decode()
    assert ".." in text  # the locale is not known to have an ellipsis


def test_many_rows_on_a_terminal_are_plain_and_still_fit() -> None:
    with Terminal(80) as terminal:
        output = Output(stdout=terminal.descriptor, environ=COLOURFUL)
        writing = threading.Thread(target=output.table, args=(COLUMNS, ROWS * 67))
        writing.start()
        text = b""
        while writing.is_alive():  # a terminal holds 4 KiB
            text += terminal.screen()
        writing.join()
        text += terminal.screen()
    lines = text.decode().splitlines()
    assert len(lines) == 1 + 3 * 67
    assert b"\x1b" not in text
    assert all(width(line) <= 80 for line in lines)
    assert lines[2].startswith("team/paym")


def test_a_piped_table_is_whole_plain_and_needs_no_rich() -> None:
    script = (
        "import sys; from openclaw_cli.cli.layout import Column\n"
        "from openclaw_cli.cli.render import Output\n"
        "output = Output(); output.table([Column('name'), Column('state')], [['x' * 300, 'ok']])\n"
        "output.done('kept'); output.json({'a': 1})\n"
        "sys.exit('rich' in sys.modules or 'typer' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert ended.stdout.splitlines()[1] == b"x" * 300 + b"  ok"
    assert ended.stderr == b"kept\n"


def test_json_has_a_schema_number_and_is_one_line_when_piped() -> None:
    piped = Piped(as_json=True)
    piped.output.json({"secrets": [{"name": "a\x1b[2J\u202e\udc80"}]})
    out, _ = piped.read()
    assert out.count("\n") == 1
    assert out.isascii()
    assert "\x1b" not in out
    assert json.loads(out) == {"schema": 1, "secrets": [{"name": "a\x1b[2J\u202e\udc80"}]}


def test_json_on_a_terminal_is_for_eyes() -> None:
    with Terminal() as terminal:
        Output(stdout=terminal.descriptor, environ=COLOURFUL).json({"a": [1]})
        assert terminal.screen() == b'{\n  "schema": 1,\n  "a": [\n    1\n  ]\n}\n'
        Output(stdout=terminal.descriptor, environ=COLOURFUL).json_line({"a": [1]})
        assert terminal.screen() == b'{"schema": 1, "a": [1]}\n'


def test_an_error_is_a_line_and_a_hint() -> None:
    piped = Piped()
    piped.output.error(NOBODY)
    piped.output.error(OpenclawError("it broke"))
    assert piped.read() == (
        "",
        (
            "openclaw: no secret is called x\\x1b[2J\n"
            "  hint: openclaw secrets list\n"
            "openclaw: it broke\n"
        ),
    )


def test_an_error_in_json_has_a_code_a_kind_a_message_and_a_hint() -> None:
    piped = Piped(as_json=True)
    piped.output.error(NOBODY)
    out, err = piped.read()
    assert out == ""
    assert json.loads(err) == {
        "error": {
            "code": 3,
            "kind": "not_found",
            "message": "no secret is called x\x1b[2J",
            "hint": "openclaw secrets list",
        }
    }


def test_messages_go_to_standard_error_in_one_line_each() -> None:
    piped = Piped()
    piped.output.done("kept a\nb as version 2")
    piped.output.note("read from standard input")
    piped.output.warn("the value can be read in the process list", hint="openclaw secrets set a")
    out, err = piped.read()
    assert out == ""
    assert err.splitlines() == [
        "kept a\\x0ab as version 2",
        "read from standard input",
        "openclaw: warning: the value can be read in the process list",
        "  hint: openclaw secrets set a",
    ]


def test_quiet_keeps_warnings_and_errors_only() -> None:
    piped = Piped(quiet=True)
    piped.output.done("kept")
    piped.output.note("noted")
    piped.output.warn("careful")
    piped.output.line("the answer")
    assert piped.read() == ("the answer\n", "openclaw: warning: careful\n")


def test_with_json_a_warning_is_json_too_and_the_rest_is_silent() -> None:
    piped = Piped(as_json=True)
    piped.output.done("kept")
    piped.output.warn("careful")
    out, err = piped.read()
    assert (out, json.loads(err)) == ("", {"warning": {"message": "careful", "hint": ""}})


def test_facts_are_aligned() -> None:
    piped = Piped()
    piped.output.facts([("name", "a\x07"), ("last read", "2 minutes ago"), ("state", "ok", "good")])
    out, _ = piped.read()
    assert out == "name       a\\x07\nlast read  2 minutes ago\nstate      ok\n"


def test_a_closed_standard_error_changes_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    output = Output(stderr=writer, environ=COLOURFUL)
    output.warn("nobody listens")
    os.close(writer)
    output.error(NOBODY)


def test_the_streams_are_judged_apart() -> None:
    with Terminal() as terminal:
        output = Output(
            stdout=os.open(os.devnull, 1), stderr=terminal.descriptor, environ=COLOURFUL
        )
        assert (output.on_terminal, output.messages_on_terminal) == (False, True)
        assert output.paint("ok", "good") == "ok"
        output.error(NOBODY)
        assert terminal.screen().startswith(b"\x1b[31mopenclaw:\x1b[0m no secret")


def test_work_of_a_second_shows_progress_on_a_terminal_and_leaves_no_trace() -> None:
    with Terminal() as terminal:
        output = Output(stderr=terminal.descriptor, environ=COLOURFUL)
        with output.progress("reading the trail") as progress:
            progress.say("12 of 100")
            assert terminal.screen() == b""
            assert b"reading the trail, 12 of 100, 1 s" in terminal.screen(until=b"1 s")
        assert terminal.screen().endswith(b"\r\x1b[K")


def test_a_message_in_the_middle_of_long_work_has_a_line_of_its_own() -> None:
    with Terminal() as terminal:
        output = Output(stderr=terminal.descriptor, environ=COLOURFUL)
        with output.progress("rotating k"):
            assert b"rotating k, 1 s" in terminal.screen(until=b"1 s")
            output.note("k: test")
            assert b"\r\x1b[Kk: test" in terminal.screen(until=b"test")


def test_short_work_and_piped_work_show_none() -> None:
    piped = Piped()
    with Terminal() as terminal:
        with Output(stderr=terminal.descriptor, environ=COLOURFUL).progress("quick"):
            time.sleep(0.05)
        assert terminal.screen() == b""
    with piped.output.progress("slow"):
        time.sleep(1.3)
    assert piped.read() == ("", "")


def test_columns_of_the_environment_win_over_the_terminal() -> None:
    with Terminal(200) as terminal:
        assert Output(stdout=terminal.descriptor, environ={"COLUMNS": "77"}).width == 77
        for nonsense in ("0", "-3", "x", "\uff19\uff19", "9" * 5000):
            assert Output(stdout=terminal.descriptor, environ={"COLUMNS": nonsense}).width == 200
