"""The page of figures, which `python -m tests.bench --write` writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.bench.report import Table, markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "performance.md"

_METHOD = """# Speed

<!-- Written by `python -m tests.bench --peers --write`. -->

What a command costs is told in times of what Python itself costs: `x` is the whole process, from
its start to its end, divided by `bin/python -c pass` of the same virtual environment. A ratio says
the same on a fast machine and on a slow one, and almost the same on a busy one.

- **Pairs.** Each measurement of a command is taken beside one of the bare interpreter, in turn,
  each first every other time. *Wall* is the median of the pairs' ratios, with its quartiles;
  *best of all* is the fastest run over the fastest bare start, which a neighbour disturbs least;
  *CPU* is user and system time. Every answer is compared with the exact bytes it must have.
- **As it is used.** Byte code is compiled, the files are in the page cache, output is piped, and a
  settings file is present and compiled where nothing else is said. Each `get` and `resolve` makes
  its durable record in the trail: a sync of the disk is in each figure. The compiled libraries are
  in the page cache as an installation leaves them there; paged in piece by piece, as after the
  machine was started anew, they take 0.07x to 0.09x more of each command.
- **Memory** is the most that was resident, in MiB. Less than 8, which the measuring program
  itself has, cannot be told.
- **Instructions** are counted by `valgrind --tool=callgrind`. They repeat to three digits whoever
  else uses the machine, so they are what the tests hold: no test has a clock.
  `tests/bench/ceilings.toml` has the ceilings.
- **Peers** are measured in the same run. They do different things, which the last column says;
  a compiled program that decrypts one file is faster than the start of Python alone.

Repeat it with `make bench`, or `python -m tests.bench SECTION` for one table;
`tests/bench/peers.sh` installs the peers.
"""


def text(tables: Sequence[Table], missed: Sequence[str], date: str, machine: str) -> str:
    """Return the page."""
    kept = "Every promise of the design is kept by these figures."
    broken = "These figures do not keep what the design promises:\n\n" + "".join(
        f"- {each}\n" for each in missed
    )
    head = f"{_METHOD}\nMeasured on {date}: {machine}.\n\n{broken if missed else kept}"
    return "\n".join([head.rstrip() + "\n", *map(markdown, tables)])
