"""Measure: `python -m tests.bench [--quick] [--peers] [--write] [SECTION...]`.

It prints tables and judges nothing: whether a figure is good today depends on who else uses the
machine. What the test suite holds is `test_bench_gate.py`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.bench import page, peers
from tests.bench.report import Table, plain
from tests.bench.sections import SECTIONS, Bench, machine


def main() -> None:
    """Measure what is asked for, print each table when it is there, and write the page."""
    given = _arguments()
    wanted = given.sections or list(SECTIONS)
    tables: list[Table] = []
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="openclaw-bench-") as place:
        bench = Bench(Path(place), quick=given.quick)
        for name in wanted:
            tables += _printed(SECTIONS[name](bench))
        if given.peers:
            tables += _printed(peers.tables(bench))
    missed = [each for table in tables for each in table.missed]
    print("\npromises that these figures do not keep:", *(missed or ["none"]), sep="\n  ")
    if given.write:
        where = f"{machine()}{', a tenth of the repetitions' if given.quick else ''}"
        page.PAGE.write_text(page.text(tables, missed, time.strftime("%Y-%m-%d"), where))
        print(f"wrote {page.PAGE.name}")


def _printed(tables: list[Table]) -> list[Table]:
    for table in tables:
        print(plain(table), flush=True)
    return tables


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION")
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    parser.add_argument("--peers", action="store_true", help="other tools beside, where installed")
    parser.add_argument("--write", action="store_true", help="write docs/reference/performance.md")
    parser.epilog = f"sections: {' '.join(SECTIONS)}"
    given = parser.parse_args()
    unknown = set(given.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section is called {min(unknown)}")
    return given


if __name__ == "__main__":
    main()
