"""Whether a file lies where nobody but its owner and root could have put it.

Every directory on the way to it must belong to root or to us and be closed to other writers, or be
sticky, as `/tmp` is, where others cannot replace what is ours. Symbolic links are followed only
when they are of root or ours, and what they lead through is held to the same; container platforms
give secrets behind such links. Once this holds, nobody else can put another file there between the
look and the opening.
"""

from __future__ import annotations

import os
import shlex
import stat

from openclaw_cli.errors import DeniedError
from openclaw_cli.files import failure

_MOST_LINKS = 40  # as the kernel's own limit, path_resolution(7)
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def plain_file(path: str) -> str:
    """Return the path of a regular file with no links left in it.

    Raises `FileNotFoundError`, and `DeniedError` for a place that others could change, for what
    is not a regular file, and for a directory that we may not enter.
    """
    found, entry = _followed(path)
    if not stat.S_ISREG(entry.st_mode):
        raise DeniedError(f"{path} is not a plain file", hint=_look(path))
    return found


def directory(path: str) -> str:
    """Return the path of a directory with no links left in it; raises as `plain_file` does."""
    found, entry = _followed(path)
    if not stat.S_ISDIR(entry.st_mode):
        raise DeniedError(f"{path} is not a directory", hint=_look(path))
    return found


def check_owner(entry: os.stat_result, path: str) -> None:
    """Raise `DeniedError` when it is neither root's nor ours, or when others can write to it."""
    _check_whose(entry, path)
    if entry.st_mode & _OTHERS_WRITE:
        raise DeniedError(f"others can write to {path}", hint=f"chmod go-w {shlex.quote(path)}")


def closed(path: str) -> DeniedError:
    """Build the error for a file or directory that its permissions keep from us."""
    owner = os.lstat(path).st_uid
    quoted = shlex.quote(path)
    if owner == os.geteuid():
        return DeniedError(f"its permissions forbid to read {path}", hint=f"chmod u+rX {quoted}")
    return DeniedError(
        f"{path} belongs to {_name(owner)} and is closed to us",
        hint=f"sudo chown {_name(os.geteuid())} {quoted}",
    )


def _name(user: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _followed(path: str) -> tuple[str, os.stat_result]:
    here, entry = "/", os.lstat("/")
    _check_directory(entry, here)
    ahead = path.split("/")[::-1]
    links = 0
    while ahead:
        name = ahead.pop()
        if name in ("", "."):
            continue
        if name == "..":  # of a link: nobody else is let write one
            here = os.path.dirname(here)
            entry = os.lstat(here)
            continue
        if not stat.S_ISDIR(entry.st_mode):
            raise FileNotFoundError
        step = os.path.join(here, name)
        entry = _entry(step)
        if stat.S_ISLNK(entry.st_mode):
            links += 1
            target = _target(step, entry, links)
            here = "/" if target.startswith("/") else here
            entry = os.lstat(here)
            ahead += target.split("/")[::-1]
            continue
        if stat.S_ISDIR(entry.st_mode):
            _check_directory(entry, step)
        here = step
    return here, entry


def _entry(path: str) -> os.stat_result:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        raise
    except PermissionError:
        raise closed(os.path.dirname(path)) from None
    except OSError as refused:
        raise failure("reach", path, refused) from None


def _target(path: str, entry: os.stat_result, links: int) -> str:
    _check_whose(entry, path)
    if links > _MOST_LINKS:
        raise DeniedError(f"{path} leads through too many symbolic links", hint=_look(path))
    try:
        return os.readlink(path)
    except OSError as refused:
        raise failure("read", path, refused) from None


def _check_directory(entry: os.stat_result, path: str) -> None:
    if entry.st_mode & stat.S_ISVTX:
        _check_whose(entry, path)
    else:
        check_owner(entry, path)


def _check_whose(entry: os.stat_result, path: str) -> None:
    if entry.st_uid not in (0, os.geteuid()):
        raise DeniedError(f"{path} belongs to another user", hint=_look(path))


def _look(path: str) -> str:
    return f"ls -ld {shlex.quote(path)}"
