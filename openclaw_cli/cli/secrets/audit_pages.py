"""The page that `secrets audit report` writes: a period of the trail for a person, with a picture.

Markdown, or HTML that stands alone: no script, no font and no picture from anywhere. Names, readers
and times are in it, values never. Pure: what was found goes in, text comes out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from openclaw_cli import duration
from openclaw_cli.audit import telling
from openclaw_cli.cli.render import counted
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openclaw_cli.audit.questions import Answer, Finding

MOST_BARS = 60
_WIDTHS = (duration.HOUR, 6 * duration.HOUR, duration.DAY, duration.WEEK, 28 * duration.DAY)
_SECRETS = 50
_READS, _CHANGES, _FAILURES = "read", "changed", "failed"
_COLOURS = {_READS: "#4477aa", _CHANGES: "#228833", _FAILURES: "#cc3311"}
_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDE, _HIGH, _ROOM = 720, 160, 24  # of the picture, and the room for its words
_REVEAL = b'"kind":"secret_reveal"'
_GOOD = (b'"outcome":"ok"', b'"outcome":"committed"')
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#222;background:#fff}table{border-collapse:collapse;margin:1rem 0}"
    "th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ddd}"
    "td.n{text-align:right}code{font-size:90%}.bad{color:#a11}.good{color:#161}"
)


@dataclass(slots=True)
class Timeline:
    """How often there was what, in steps of `width` seconds from `start` on."""

    start: float
    width: float
    reads: list[int]
    changes: list[int] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)

    @property
    def highest(self) -> int:
        """The most that one step has."""
        return max(map(sum, zip(self.reads, self.changes, self.failures, strict=True)), default=0)


@dataclass(frozen=True, slots=True)
class Report:
    """What a page is made of. Times in seconds since 1970."""

    start: float
    end: float
    made: float
    answer: Answer
    timeline: Timeline
    checked: bool


def timeline(lines: Iterable[bytes], start: float, end: float) -> Timeline:
    """Count the lines of a period."""
    width = next((each for each in _WIDTHS if (end - start) / each <= MOST_BARS), _WIDTHS[-1])
    many = min(MOST_BARS * 10, max(1, int((end - start + width - 1) // width)))
    made = Timeline(start, width, [0] * many, [0] * many, [0] * many)
    for line in lines:
        if b'"phase":"intent"' in line or b'"outcome":"' not in line:
            continue
        at = line.find(b'"at":"') + 6
        try:
            when = telling.seconds(line[at : at + 27].decode("ascii"))
        except (ValueError, UnicodeDecodeError):
            continue  # the findings tell of it
        good = any(each in line for each in _GOOD)
        counts = made.failures if not good else made.reads if _REVEAL in line else made.changes
        counts[max(0, min(int((when - start) / width), many - 1))] += 1
    return made


def markdown(report: Report) -> str:
    """Return the page as Markdown."""
    lines = [f"# {_title(report)}", "", _proof(report), "", "## When", "", "```text"]
    lines += [*_bars(report.timeline), "```", "", "## What looks wrong", ""]
    found = report.answer.findings
    lines += [f"- {_plain(_sentence(each))}" for each in found] or ["Nothing."]
    lines += ["", "## By secret", ""]
    lines += [
        "| secret | read | changed | failed | readers | last |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for cells in _rows(report.answer):
        lines.append(f"| {' | '.join(map(_plain, cells))} |")
    lines += ["", "## By reader", "", "| who | events |", "|---|---:|"]
    for who, count in report.answer.by_actor.most_common(_SECRETS):
        lines.append(f"| {_plain(who)} | {count} |")
    return "\n".join([*lines, "", _plain(_footer(report)), ""])


def html(report: Report) -> str:
    """Return the page as HTML, the picture in it."""
    title = escape(_title(report))
    findings = "".join(
        f"<li>{escape(safe(_sentence(each)))}<br><code>{escape(safe(each.hint))}</code></li>"
        for each in report.answer.findings
    )
    wrong = f'<ul class="bad">{findings}</ul>' if findings else '<p class="good">Nothing.</p>'
    secrets = "".join(_row(cells) for cells in _rows(report.answer))
    readers = "".join(
        _row((who, str(count))) for who, count in report.answer.by_actor.most_common(_SECRETS)
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1><p>{escape(_proof(report))}</p>\n"
        f"<h2>When</h2>{picture(report.timeline)}\n<h2>What looks wrong</h2>{wrong}\n"
        "<h2>By secret</h2><table><tr><th>secret<th>read<th>changed<th>failed<th>readers<th>last"
        f"</tr>{secrets}</table>\n<h2>By reader</h2><table><tr><th>who<th>events</tr>{readers}"
        f"</table>\n<p>{escape(_footer(report))}</p></body></html>\n"
    )


def picture(drawn: Timeline) -> str:
    """Return the timeline as SVG: a bar a step, readings, changes and failures on each other."""
    highest = drawn.highest or 1
    step = _WIDE / len(drawn.reads)
    bars = []
    for number, counts in enumerate(zip(drawn.reads, drawn.changes, drawn.failures, strict=True)):
        top = float(_HIGH)
        for word, count in zip(_COLOURS, counts, strict=True):
            high = count / highest * _HIGH
            top -= high
            if count:
                bars.append(
                    f'<rect x="{number * step + 0.5:.1f}" y="{top:.1f}" '
                    f'width="{max(step - 1, 0.5):.1f}" height="{high:.1f}" '
                    f'fill="{_COLOURS[word]}"><title>{_when(drawn, number)}: {count} {word}'
                    "</title></rect>"
                )
    legend = "".join(
        f'<tspan fill="{colour}">■</tspan> {word} ' for word, colour in _COLOURS.items()
    )
    first, last = _when(drawn, 0), _when(drawn, len(drawn.reads) - 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH + _ROOM}" '
        f'role="img" aria-label="events from {first} to {last}, at most {highest} a step" '
        f'font-family="sans-serif" font-size="11">{"".join(bars)}'
        f'<line x1="0" y1="{_HIGH}" x2="{_WIDE}" y2="{_HIGH}" stroke="#888"/>'
        f'<text x="0" y="{_HIGH + 16}">{first}</text>'
        f'<text x="{_WIDE}" y="{_HIGH + 16}" text-anchor="end">{last}</text>'
        f'<text x="{_WIDE / 2:.0f}" y="{_HIGH + 16}" text-anchor="middle">{legend}</text></svg>'
    )


def _bars(drawn: Timeline) -> list[str]:
    """Draw the same with letters."""
    rows = []
    for word, counts in (
        (_READS, drawn.reads),
        (_CHANGES, drawn.changes),
        (_FAILURES, drawn.failures),
    ):
        most = max(counts) or 1
        letters = "".join(
            _BLOCKS[min(7, each * 8 // (most + 1))] if each else " " for each in counts
        )
        rows.append(f"{word:8} {letters}| {sum(counts)}, at most {max(counts)} a step")
    rows.append(f"         {_when(drawn, 0)}, a step is {duration.exact(int(drawn.width))}")
    return rows


def _rows(answer: Answer) -> list[Sequence[str]]:
    busy = sorted(answer.by_name.items(), key=lambda item: (-item[1].reads, item[0]))
    return [
        (
            name,
            str(totals.reads),
            str(totals.changes),
            str(totals.failed),
            str(len(totals.readers)),
            f"{totals.last[:16]}Z by {totals.last_by}",
        )
        for name, totals in busy[:_SECRETS]
    ]


def _row(cells: Sequence[str]) -> str:
    shown = [
        f'<td class="n">{cell}' if cell.isdecimal() else f"<td>{escape(safe(cell))}"
        for cell in cells
    ]
    return f"<tr>{''.join(shown)}</tr>"


def _title(report: Report) -> str:
    return f"Secrets from {_minute(report.start)} to {_minute(report.end)}"


def _proof(report: Report) -> str:
    answer = report.answer
    secrets, readers = len(answer.by_name), len(answer.by_actor)
    counts = f"{counted(answer.events, 'event')} on {counted(secrets, 'secret')}"
    how = "the chain of records is whole" if report.checked else "the chain was not verified"
    return f"{counts} by {counted(readers, 'reader')}; {how}."


def _footer(report: Report) -> str:
    return (
        f"Made {duration.absolute(report.made)} by openclaw secrets audit report. UTC throughout."
    )


def _sentence(finding: Finding) -> str:
    times = f", {finding.count} times" if finding.count > 1 else ""
    by = f": {finding.who}" if finding.who else ""
    return f"{finding.first[:16]}Z  {finding.what}{by}{times}"


def _when(drawn: Timeline, step: int) -> str:
    return _minute(drawn.start + step * drawn.width)


def _minute(when: float) -> str:
    return duration.absolute(when)[:16].replace("T", " ")


def _plain(text: str) -> str:
    """Write a text so that Markdown takes nothing in it for markup."""
    return "".join(f"\\{each}" if each in "\\`*_[]<>|#!~" else each for each in safe(text))
