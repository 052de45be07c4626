"""A table on a terminal, drawn by Rich; it is given finished text, never markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO

from openclaw_cli.cli.layout import GAP, Column

MOST_ROWS = 200  # Rich takes 0.2 ms a row: more rows are laid out plainly


def drawn(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    room: int,
    styles: Mapping[str, str],
    *,
    rule: bool,
) -> str:
    """Draw rows that fit into `room` columns, with a line below the titles where `rule` says so.

    `styles` has Rich's style of each state, for the columns that hold one.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD if rule else None,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0) if rule else (0, len(GAP), 0, 0),
        header_style="bold",
        border_style="dim",
    )
    for column in columns:
        table.add_column(Text(column.title), no_wrap=True)
    for row in rows:
        cells = [
            Text(cell, styles.get(cell, "") if column.states else "")
            for column, cell in zip(columns, row, strict=True)
        ]
        table.add_row(*cells)
    written = StringIO()
    # Every choice is ours: else Rich would look at the environment and at the real terminal.
    console = Console(
        file=written, width=room, force_terminal=True, color_system="standard", _environ={}
    )
    console.print(table)
    return "".join(line.rstrip() + "\n" for line in written.getvalue().splitlines())
