"""Programs for these tests: one that runs another as the command line does, and short ones."""

from __future__ import annotations

import sys

KEY = b"sk-proj-0123456789abcdefghij"

DRIVER = """
import os, sys
from openclaw_cli.errors import OpenclawError
from openclaw_cli.running import child

KEY = b"sk-proj-0123456789abcdefghij"
environment = {**os.environb, b"API_KEY": KEY}
try:
    if sys.argv[1] == "masked":
        status = child.supervise(sys.argv[2:], environment, {"KEY": KEY})
    else:
        child.execute(sys.argv[2:], environment)
except OpenclawError as error:
    print(error.kind, error.message, error.hint, sep=" | ", file=sys.stderr)
    status = error.status
sys.exit(status)
"""


def command(*program: str, way: str = "masked", driver: str = DRIVER) -> list[str]:
    return [sys.executable, "-c", driver, way, *program]


def python(*lines: str) -> tuple[str, str, str]:
    return (sys.executable, "-c", "\n".join(lines))
