"""One instance in a Python of its own, where a zygote's import left threads behind."""

from __future__ import annotations

import json
import sys

from openclaw_cli.agents import landlock
from openclaw_cli.runtime import guard, worker


def main(arguments: list[str]) -> int:
    """Load the handler again, then do what a forked instance does."""
    fd = int(arguments[0])
    with open(fd, encoding="utf-8") as source:
        plan = json.load(source)
    guard.unreadable()
    guard.die_with(plan["zygote"])
    handler = worker.load(plan)
    landlock.confine(plan["confine"])
    landlock.separate(landlock.domain())
    worker.limit(plan)
    worker.prepare()
    return worker.Worker(plan, handler).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
