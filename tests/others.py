"""Programs as another user, who must be able to reach our Python though root's home is closed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def reachable(scratch: Path, *paths: Path | str) -> list[str]:
    """Return what runs a program where others can reach Python, this tree, and `paths`.

    In a mount namespace: a closed folder above one of them is covered by an empty one, in which
    there is nothing else.
    """
    wanted = {Path(each).resolve() for each in (sys.base_prefix, sys.prefix, ROOT, *paths)}
    closed = {each: above for each in wanted if (above := _closed(each))}
    lines = []
    for number, each in enumerate(closed):
        kept = scratch / f"kept{number}"
        kept.mkdir()
        lines.append(f"mount --bind {shlex.quote(str(each))} {kept}")
    lines += [f"mount -t tmpfs -o mode=755 none {each}" for each in sorted(set(closed.values()))]
    for number, each in enumerate(closed):
        place = shlex.quote(str(each))
        lines.append(f"mkdir -p -m 755 {place}; mount --bind {scratch}/kept{number} {place}")
    return _mounted(lines)


def ids_set_aside(scratch: Path) -> list[str]:
    """Return what runs a program where the system has set ids aside for nobody."""
    given = scratch / "subids"
    given.write_text("nobody:200000:65536\n")
    given.chmod(0o644)
    places = ("/etc/subuid", "/etc/subgid")
    for each in places:
        Path(each).touch()
    return _mounted([f"mount --bind {given} {each}" for each in places])


def _mounted(lines: list[str]) -> list[str]:
    return [
        "unshare",
        "-m",
        "sh",
        "-c",
        "; ".join(["set -e", "umask 022", *lines, 'exec "$@"']),
        "sh",
    ]


def _closed(path: Path) -> str:
    """Return the topmost folder above a path that others cannot enter; "" when there is none."""
    for each in reversed(path.parents):
        if not each.stat().st_mode & 0o001:
            return str(each)
    return ""
