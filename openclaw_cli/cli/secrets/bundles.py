"""`openclaw secrets export --sealed`: a bundle for a job, and its key, given once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from openclaw_cli import duration, newfile
from openclaw_cli.cli.secrets import stale
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import ConflictError, OpenclawError, UsageError
from openclaw_cli.files import read_private
from openclaw_cli.model import Secret
from openclaw_cli.names import parse
from openclaw_cli.store.keys.given import LIMIT, decoded

if TYPE_CHECKING:
    from openclaw_cli.bundling import Made

EXPIRES = "24h"
LONGEST = 366 * duration.DAY


def export(
    session: Session,
    names: list[str],
    out: str | None,
    *,
    expires: str | None,
    key_file: str | None,
    force: bool,
) -> None:
    """Write a bundle of these secrets; its key goes to a file, or to standard output."""
    from openclaw_cli import bundling

    seconds = duration.parse(expires or EXPIRES, name="--expires")
    if not 1 <= seconds <= LONGEST:
        raise UsageError("a bundle expires within a year", hint=f"--expires {EXPIRES}")
    if out is None:
        raise UsageError("where to? A bundle is a file", hint="--output FILE")
    _refuse_taken(out, force=force)
    known = _known_key(key_file)
    made = bundling.made(
        session.secrets,
        _values(session, names),
        session.secrets.catalogue().entries,
        seconds,
        key=known,
    )
    newfile.write(out, [made.data], force=force)
    kept = known is not None
    try:
        if key_file is not None and not kept:
            newfile.write(key_file, [made.key.hex().encode() + b"\n"])
            kept = True
        _give_key(session, made, out, names, key_file)
    except BaseException:
        if not kept:
            os.unlink(out)  # nobody has its key
        raise


def _refuse_taken(path: str, *, force: bool) -> None:
    if os.path.lexists(path) and not force:
        raise ConflictError(f"{path} exists already", hint="add --force, or name another")


def _known_key(path: str | None) -> bytes | None:
    """Return the key that a key file has already: so a daily bundle needs no new one in CI."""
    if path is None:
        return None
    try:
        return decoded(read_private(os.path.abspath(path), LIMIT), path)
    except FileNotFoundError:
        return None


def _values(session: Session, names: list[str]) -> dict[str, Secret]:
    references = [parse(name) for name in names]
    found = session.secrets.read_many(references, purpose="export")
    stale.tell(session.output, zip(references, found, strict=True))
    values = {}
    for name, answer in zip(names, found, strict=True):
        if isinstance(answer, OpenclawError):
            raise answer
        values[name] = answer
    return values


def _give_key(
    session: Session, made: Made, out: str, names: list[str], key_file: str | None
) -> None:
    key = made.key.hex().encode()
    answer = {"file": out, "bundle": made.id, "secrets": names}
    answer |= {"expires": duration.absolute(made.expires)}
    if key_file is not None:
        answer["key_file"] = key_file
    if session.as_json:
        session.output.json(answer if key_file else {**answer, "key": key.decode()})
    elif key_file is None:
        session.output.value(key)
    many = "1 secret" if len(names) == 1 else f"{len(names)} secrets"
    until = duration.absolute(made.expires)
    session.output.done(f"sealed {many} into {out}, to be read until {until}")
    if key_file is None:
        session.output.note("  the key is given this once: keep it where the job finds it")
    session.output.note(f"  in the job: OPENCLAW_BUNDLE={out} and OPENCLAW_BUNDLE_KEY")
