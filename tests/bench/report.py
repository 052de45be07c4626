"""Tables of figures: as plain columns for a terminal, as Markdown for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """A figure that was promised: `most` (or, where `at_least`, the least) in some unit."""

    most: float
    unit: str = "x"
    at_least: bool = False

    def met(self, measured: float) -> bool:
        """Tell whether a figure keeps the promise."""
        return measured >= self.most if self.at_least else measured <= self.most

    def __str__(self) -> str:
        """Write it as the design does."""
        return f"{'≥' if self.at_least else '≤'} {self.most:g}{_spaced(self.unit)}"


@dataclass
class Table:
    """Rows under titles; `missed` names the promises that its figures do not keep."""

    title: str
    titles: Sequence[str]
    note: str = ""
    rows: list[list[str]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def add(
        self, what: str, *cells: str, measured: float = 0, target: Target | None = None
    ) -> None:
        """Add a row; with a target its last two cells are the promise and whether it is kept."""
        verdict = ["", ""]
        if target is not None:
            verdict = [str(target), "kept" if target.met(measured) else "missed"]
        row = [what, *cells]
        width = len(self.titles)
        self.rows.append(row + verdict if len(row) + 2 == width else row)
        if target is not None and not target.met(measured):
            shown = f"{measured:.2f}{_spaced(target.unit)}"
            self.missed.append(f"{self.title}, {what}: {shown}, promised {target}")


def plain(table: Table) -> str:
    """Return a table for a terminal."""
    lines = [list(table.titles), *table.rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(table.titles))]
    text = "\n".join("  ".join(_aligned(line, widths)).rstrip() for line in lines)
    note = f"\n{table.note}" if table.note else ""
    return f"\n{table.title}\n\n{text}\n{note}"


def markdown(table: Table) -> str:
    """Return a table for the page."""
    lines = [_row(table.titles), _row(["---"] + ["---:"] * (len(table.titles) - 1))]
    lines += [_row(row) for row in table.rows]
    note = f"\n{table.note}\n" if table.note else ""
    return f"## {table.title}\n\n" + "\n".join(lines) + f"\n{note}"


def _aligned(line: list[str], widths: list[int]) -> list[str]:
    first, *rest = zip(line, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _spaced(unit: str) -> str:
    return unit if unit == "x" else f" {unit}"
