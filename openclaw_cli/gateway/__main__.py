"""A gateway in a process of its own: `python -m openclaw_cli.gateway`."""

from __future__ import annotations

import gc
import os
import sys


def main(arguments: list[str]) -> int:
    """Run it; the arguments are the port, empty for the settings' own, and where to say ready."""
    gc.disable()  # until it serves: what is loaded stays
    from openclaw_cli.errors import OpenclawError
    from openclaw_cli.gateway import lifecycle
    from openclaw_cli.home import find
    from openclaw_cli.sanitize import safe

    os.umask(0o077)
    port, ready = [*arguments, "", ""][:2]
    try:
        return lifecycle.run(
            find(os.environ), port=int(port) if port else None, ready=int(ready) if ready else -1
        )
    except OpenclawError as refused:
        hint = f"\n  hint: {safe(refused.hint)}" if refused.hint else ""
        sys.stderr.write(f"openclaw: {safe(refused.message)}{hint}\n")
        return refused.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
