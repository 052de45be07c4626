"""The picture of a secret's versions."""

from __future__ import annotations

import os

from openclaw_cli.cli.render import Output
from openclaw_cli.cli.stdout import width
from openclaw_cli.cli.timeline import VersionLine, timeline
from tests.unit.cli.terminal import Terminal

NOW = 1_795_176_000.0  # 2026-11-20T12:00:00Z
DAY = 86_400
VERSIONS = [
    VersionLine("4", "pending", made=NOW - 60, made_by="cron"),
    VersionLine(
        "3",
        "current",
        made=NOW - 3 * DAY,
        made_by="ada",
        promoted=NOW - 3 * DAY + 60,
        last_read=NOW - 120,
        last_read_by="agent request-handler, thread trading-001, in a program of a long name",
        reads=42,
    ),
    VersionLine("2", "previous", made=NOW - 33 * DAY, retired=NOW + 2 * DAY),
    VersionLine("1", "retired", retired=NOW - 30 * DAY, note="imported\x1b[2J"),
]
PLAIN = Output(stdout=os.open(os.devnull, os.O_WRONLY), environ={})


def test_versions_are_drawn_down_a_line() -> None:
    assert timeline("openai", VERSIONS[:1] + VERSIONS[2:], NOW, PLAIN) == (
        "openai\n"
        "  ~  4  pending   made 1 minute ago by cron (2026-11-20T11:59:00Z)\n"
        "  |               never read\n"
        "  o  2  previous  made 33 days ago (2026-10-18T12:00:00Z)\n"
        "  |               never read\n"
        "  |               retires in 2 days (2026-11-22T12:00:00Z)\n"
        "  .  1  retired   made at an unknown time\n"
        "                  never read\n"
        "                  retired 30 days ago (2026-10-21T12:00:00Z)\n"
        "                  imported\\x1b[2J\n"
    )


def test_the_current_version_says_who_read_it_last_within_80_columns() -> None:
    drawn = timeline("openai", VERSIONS, NOW, PLAIN)
    words = " ".join(drawn.replace("|", " ").split())
    assert "promoted 2 days ago (2026-11-17T12:01:00Z)" in words
    assert "last read 2 minutes ago by agent request-handler, thread trading-001" in words
    assert "42 in all" in words
    assert all(width(line) <= 80 for line in drawn.splitlines())


def test_a_terminal_gets_colour_and_lines_that_fit_it() -> None:
    with Terminal(60) as terminal:
        environ = {"TERM": "xterm", "LANG": "C.UTF-8"}
        output = Output(stdout=terminal.descriptor, environ=environ)
        drawn = timeline("openai", VERSIONS, NOW, output)
        output.drawn(drawn)
        assert terminal.screen().decode() == drawn
    assert "\x1b[1m●\x1b[0m  3  \x1b[1mcurrent \x1b[0m" in drawn
    for code in ("0", "1", "2", "35"):
        drawn = drawn.replace(f"\x1b[{code}m", "")
    assert "\x1b" not in drawn
    assert all(width(line) <= 60 for line in drawn.splitlines())


def test_a_secret_without_versions_is_its_name() -> None:
    assert timeline("openai", [], NOW, PLAIN) == "openai\n"
