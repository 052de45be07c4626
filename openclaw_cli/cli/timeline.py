"""The picture that `secrets history NAME` draws: the versions of a secret down a line of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from openclaw_cli import duration
from openclaw_cli.cli.layout import cut, wrapped
from openclaw_cli.cli.render import Output
from openclaw_cli.cli.stdout import padded, width
from openclaw_cli.sanitize import safe

_TONES = {"current": "strong", "pending": "attention", "retired": "quiet"}
_MARKS = {"current": ("●", "*"), "pending": ("◌", "~"), "retired": ("·", ".")}
_OTHER_MARK = ("○", "o")
_NARROWEST = 20  # columns for what is told of a version


class VersionLine(NamedTuple):
    """What is known of one version. Times are seconds since 1970; None is "never" or "unknown"."""

    number: str
    stage: str
    made: float | None = None
    made_by: str = ""
    promoted: float | None = None
    last_read: float | None = None
    last_read_by: str = ""
    reads: int | None = None
    retired: float | None = None
    revoked: float | None = None
    note: str = ""


def timeline(name: str, versions: Sequence[VersionLine], now: float, output: Output) -> str:
    """Draw `versions` in the order given, newest first, as wide and coloured as `output` is.

    Piped, it is 80 columns wide. The answer is for `Output.drawn`.
    """
    room, paint = output.width or 80, output.paint
    dots, bar = ("…", "│") if output.unicode else ("..", "|")
    numbers = max((width(safe(version.number)) for version in versions), default=1)
    stages = max((width(safe(version.stage)) for version in versions), default=1)
    lines = [paint(cut(safe(name), room, dots), "strong")]
    for position, version in enumerate(versions):
        last = position == len(versions) - 1
        facts = _facts(version, now)
        tone = _TONES.get(version.stage, "")
        mark = _MARKS.get(version.stage, _OTHER_MARK)[0 if output.unicode else 1]
        number = padded(safe(version.number), numbers)
        stage = padded(safe(version.stage), stages)
        indent = f"  {' ' if last else bar}  {' ' * numbers}  {' ' * stages}  "
        space = max(room - len(indent), _NARROWEST)
        first, *others = [line for fact in facts for line in wrapped(fact, space, rest="  ")]
        lines.append(f"  {paint(mark, tone)}  {number}  {paint(stage, tone)}  {first}")
        lines.extend(f"{indent}{fact}" for fact in others)
    return "".join(line.rstrip() + "\n" for line in lines)


def _facts(version: VersionLine, now: float) -> list[str]:
    facts = [_when("made", version.made, now, version.made_by)]
    if version.promoted is not None and version.promoted != version.made:
        facts.append(_when("promoted", version.promoted, now))
    facts.append(_read(version, now))
    if version.revoked is not None:
        words = "revoked" if version.revoked <= now else "to be revoked"
        facts.append(_when(words, version.revoked, now))
    elif version.retired is not None:
        words = "retired" if version.retired <= now else "retires"
        facts.append(_when(words, version.retired, now))
    if version.note:
        facts.append(safe(version.note))
    return facts


def _read(version: VersionLine, now: float) -> str:
    if version.last_read is None:
        return "never read"
    times = "" if version.reads is None else f", {version.reads} in all"
    how = duration.relative(version.last_read - now)
    by = f" by {safe(version.last_read_by)}" if version.last_read_by else ""
    return f"last read {how}{by}{times}"


def _when(what: str, when: float | None, now: float, who: str = "") -> str:
    by = f" by {safe(who)}" if who else ""
    if when is None:
        return f"{what} at an unknown time{by}"
    return f"{what} {duration.relative(when - now)}{by} ({duration.absolute(when)})"
