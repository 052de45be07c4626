"""A record of the trail in words for people: who, from where, when."""

from __future__ import annotations

import os
from calendar import timegm
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from openclaw_cli.audit.event import Actor
    from openclaw_cli.audit.readings import Asker


def who(actor: Actor | Asker, user: Callable[[int], str]) -> str:
    """Return who acted: "ada (python3)", "agent mailer". `user` names a user id."""
    if actor.agent:
        return f"agent {actor.agent}"
    return _who(actor.uid, actor.program, user)


@lru_cache(maxsize=4096)
def _who(uid: int, path: str, user: Callable[[int], str]) -> str:
    program = os.path.basename(path)
    name = user(uid) if uid >= 0 else ""
    return f"{name} ({program})" if name and program else name or program


def origin(actor: Actor | Asker) -> str:
    """Return from where: the address of an SSH client, the terminal, or cron, ci, program."""
    return actor.address or actor.tty.removeprefix("/dev/") or actor.via


def seconds(instant: str) -> float:
    """Return an instant as the trail writes it as seconds since 1970."""
    return _minute(instant[:16]) + float(instant[17:-1])


@lru_cache(maxsize=4096)
def _minute(text: str) -> int:
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    return timegm((year, month, day, int(text[11:13]), int(text[14:16]), 0))


@lru_cache(maxsize=256)
def user_name(uid: int) -> str:
    """Return the name of a user id, its number where there is none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
