"""Print what the console sessions of a page really do, to be pasted into it.

    .venv/bin/python scripts/record_session.py docs/tutorial/first-ten-minutes.md

The page is not changed: what differs from one run to the next wants `...` put in by hand.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.console.runner import difference, play, steps  # noqa: E402


def main() -> int:
    """Play each page that is named; the status tells whether one says what is not so."""
    os.environ["PATH"] = f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"
    os.environ |= {"LANG": "C.UTF-8", "TERM": "dumb", "TZ": "UTC"}
    wrong = 0
    for page in sys.argv[1:]:
        wanted = steps(Path(page).read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as home:
            for step, seen in zip(wanted, play(wanted, Path(home)), strict=False):
                differs = bool(difference(step, seen))
                wrong += differs
                print(f"{'!' if differs else ' '} {page}:{step.line}")
                print("$ " + step.command.replace("\n", "\n> "))
                print(seen.output, end="\n" if seen.output else "")
                print(f"[{seen.status}]\n" if seen.status else "")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
