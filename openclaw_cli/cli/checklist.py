"""The practices of `openclaw doctor --checklist`: each is kept or not, why, and what mends it.

`docs/how-to/keep-the-checklist.md` explains them. None reads a value.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from openclaw_cli import duration, health
from openclaw_cli.cli import practices
from openclaw_cli.cli.practices import WEEK, Practice
from openclaw_cli.cli.recording import noted
from openclaw_cli.cli.render import counted
from openclaw_cli.cli.secrets import granting
from openclaw_cli.cli.secrets.audit_verify import verified_trail
from openclaw_cli.errors import ConfigError, OpenclawError
from openclaw_cli.health.finding import some
from openclaw_cli.rotation import policy

if TYPE_CHECKING:
    from openclaw_cli.cli.session import Session
    from openclaw_cli.health import Look

UNUSED = 30 * duration.DAY
BACKUP_WITHIN = WEEK
REHEARSED_WITHIN = 90 * duration.DAY

REHEARSAL = "rotation_rehearsal"
DRILL = "store_drill"
_COPIES = (".backup", ".bak", ".old", "~", ".before-upgrade")


def every(session: Session) -> Iterator[Practice]:
    """Look at every practice, one after another: what was mended meanwhile is seen as it is.

    Where the store cannot be read at all, that is the last one.
    """
    yield permissions(session)
    now = time.time()
    seen = health.look(session.home, session.quiet_secrets)
    if seen.trouble:
        trouble = seen.trouble
        yield Practice("store", kept=False, why=trouble.message, command=trouble.hint)
        return
    yield by_reference(session)
    yield on_schedule(seen)
    yield from of_agents(session)
    yield trail(session, seen)
    yield grants(session, seen, now)
    yield configuration_backups(session)
    yield second_key(session, seen)
    yield backup(seen, now)
    yield drill(seen, now)
    yield leak(seen, now)


def of_agents(session: Session) -> Iterator[Practice]:
    """Look at what the settings say of agents; one mistake in them is all there is to say."""
    try:
        configuration = session.configuration
    except OpenclawError as refused:
        command = "openclaw config check"
        yield Practice("settings", kept=False, why=refused.message, command=command)
        return
    yield from practices.of_agents(configuration)


def permissions(session: Session) -> Practice:
    """Look whether nobody else can open what is ours."""
    name = "permissions"
    found = health.of_permissions(session.home)
    if not found:
        return Practice(name, kept=True, why="nobody else can open what is ours")
    paths = [each.where for each in found if each.hint.startswith("chmod")]
    fix = partial(_close, session, paths) if len(paths) == len(found) else None
    return Practice(name, kept=False, why=found[0].why, command=found[0].hint, fix=fix)


def by_reference(session: Session) -> Practice:
    """Look whether a key stands in plain text in a configuration."""
    found = [
        each
        for each in health.of_plaintext(session.home, session.settings.plaintext)
        if not _is_backup(each.where)
    ]
    if found:
        return Practice("by reference", kept=False, why=found[0].why, command=found[0].hint)
    return Practice("by reference", kept=True, why="no key stands in plain text")


def on_schedule(seen: Look) -> Practice:
    """Look whether every key is rotated, at least weekly."""
    name = "rotation"
    if seen.locked:
        return Practice(name, kept=False, why="the store is locked", command=seen.locked)
    late = []
    for entry in seen.alive:
        times = policy.read(entry.policy).times
        if times is None or times.interval > WEEK:
            late.append(entry.name)
    if late:
        why = f"not rotated at least weekly: {some(late)}"
        command = f"openclaw secrets rotate {min(late)} --schedule weekly"
        return Practice(name, kept=False, why=why, command=command)
    many = (
        f"{counted(len(seen.alive), 'secret')}, each rotated"
        if seen.alive
        else "there is no secret yet"
    )
    return Practice(name, kept=True, why=many)


def trail(session: Session, seen: Look) -> Practice:
    """Verify the whole trail."""
    if not seen.there:
        return Practice("trail", kept=True, why="nothing was recorded yet")
    try:
        found = verified_trail(session, session.quiet_secrets)
    except OpenclawError as refused:
        command = refused.hint or "openclaw secrets audit verify"
        return Practice("trail", kept=False, why=refused.message, command=command)
    return Practice("trail", kept=True, why=f"{found.records} records, each verified")


def grants(session: Session, seen: Look, now: float) -> Practice:
    """Look for grants that nobody uses, and for those that have ended."""
    name = "grants"
    if seen.locked:
        return Practice(name, kept=False, why="the store is locked", command=seen.locked)
    ended = granting.ended(session, now)
    if ended:
        agent, patterns = next(iter(ended.items()))
        why = f"the grant of {patterns[0]} to {agent} has ended and is still listed"
        command = f"openclaw secrets revoke {agent} {patterns[0]}"
        fix = partial(granting.take_away, session, ended)
        return Practice(name, kept=False, why=why, command=command, fix=fix)
    try:
        idle = granting.unused(session, UNUSED, now)
    except OpenclawError as refused:  # the settings grant, too, and have a mistake
        return Practice(name, kept=False, why=refused.message, command="openclaw config check")
    if idle:
        why = f"not used for 30 days: {idle[0].pattern} for {idle[0].agent}"
        return Practice(name, kept=False, why=why, command="openclaw secrets grants --unused 30d")
    return Practice(name, kept=True, why="none stands unused")


def configuration_backups(session: Session) -> Practice:
    """Look whether a copy of a configuration holds a key in plain text."""
    name = "copies of settings"
    for each in health.of_plaintext(session.home):
        if _is_backup(each.where):
            command = f"rm {each.where}, when its keys are in the store"
            return Practice(name, kept=False, why=each.why, command=command)
    return Practice(name, kept=True, why="none holds a key in plain text")


def second_key(session: Session, seen: Look) -> Practice:
    """Look whether the store opens with more than one key."""
    found = [each for each in health.of_keys(seen, session.home) if each.what == "one-key"]
    if found:
        return Practice("second key", kept=False, why=found[0].why, command=found[0].hint)
    many = len(seen.header.slots) if seen.header else 0
    return Practice("second key", kept=True, why=f"{many} keys" if many else "no store yet")


def backup(seen: Look, now: float) -> Practice:
    """Look whether the store was backed up within a week."""
    at = health.when(health.last_backup(seen.trail))
    if not seen.there or at > now - BACKUP_WITHIN:
        why = f"the last one {duration.relative(at - now)}" if at else "no store yet"
        return Practice("backup", kept=True, why=why)
    why = f"the last one {duration.relative(at - now)}" if at else "none lately"
    return Practice("backup", kept=False, why=why, command="openclaw store backup FILE")


def drill(seen: Look, now: float) -> Practice:
    """Look whether it was tried within three months that a backup opens."""
    return _tried(seen, now, DRILL, "restore drill", "openclaw store restore --drill BACKUP")


def leak(seen: Look, now: float) -> Practice:
    """Look whether a leak was rehearsed within three months."""
    first = min((each.name for each in seen.alive), default="NAME")
    command = f"openclaw secrets rotate --compromised {first} --dry-run"
    return _tried(seen, now, REHEARSAL, "rehearsed leak", command)


def _tried(seen: Look, now: float, kind: str, name: str, command: str) -> Practice:
    at = health.when(health.last_of(seen.trail, kind))
    if at > now - REHEARSED_WITHIN:
        return Practice(name, kept=True, why=f"the last one {duration.relative(at - now)}")
    if not seen.there:
        return Practice(name, kept=True, why="no store yet")
    why = f"the last one {duration.relative(at - now)}" if at else "none that the trail knows of"
    return Practice(name, kept=False, why=why, command=command)


def _is_backup(path: str) -> bool:
    name = os.path.basename(path)
    return name.endswith(_COPIES) or ".backup." in name


def _close(session: Session, paths: list[str]) -> None:
    _take_rights(paths)  # first: a store that others can open is not opened, for a record either
    noted(session, "permissions_close", files=paths)


def _take_rights(paths: list[str]) -> None:
    """Take the rights of others away; a link is never followed."""
    for path in paths:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            raise ConfigError(f"{path} cannot be opened", hint=f"ls -ld {path}") from None
        try:
            mode = stat.S_IMODE(os.fstat(fd).st_mode)
            os.fchmod(fd, mode & 0o700)
        except OSError:
            raise ConfigError(f"{path} cannot be changed", hint=f"ls -ld {path}") from None
        finally:
            os.close(fd)
