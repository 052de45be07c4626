"""One instance in a Python of its own, where a zygote's import left threads behind."""

from __future__ import annotations

import json
import sys

from openclaw_cli.agents import landlock
from openclaw_cli.runtime import birth, guard, loading
from openclaw_cli.runtime.worker import Worker


def main(arguments: list[str]) -> int:
    """Load the handler again, then do what a forked instance does."""
    fd = int(arguments[0])
    with open(fd, encoding="utf-8") as source:
        plan = json.load(source)
    guard.unreadable()
    guard.die_with(plan["zygote"])
    handler = loading.load(plan)
    landlock.confine(plan["confine"])
    landlock.separate(landlock.domain())
    birth.limit_memory(plan)
    birth.prepare()
    return Worker(plan, handler).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
