"""The proof of a trail: its whole chain, against the store's head and the anchor elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openclaw_cli.audit.reading import Reading
from openclaw_cli.cli.render import counted
from openclaw_cli.errors import IntegrityError, NotFoundError, TemporaryError

if TYPE_CHECKING:
    from openclaw_cli.audit.anchor import Anchor
    from openclaw_cli.audit.verify import Mark, Verified
    from openclaw_cli.cli.session import Session
    from openclaw_cli.service import Secrets
    from openclaw_cli.store.reader import Snapshot

_ATTEMPTS = 20


def verified_trail(session: Session, secrets: Secrets) -> Verified:
    """Verify the whole trail, or raise: nothing verified is not a success."""
    for _ in range(_ATTEMPTS):
        raw = secrets.trail.read_head()
        try:
            return _verified_once(session, secrets, raw)
        except IntegrityError:
            if secrets.trail.read_head() == raw:
                raise
    raise TemporaryError("the trail changes faster than it can be verified", hint="try again")


def _verified_once(session: Session, secrets: Secrets, raw: bytes) -> Verified:
    from openclaw_cli.audit.verify import verify as verified

    snapshot = secrets.open()
    with Reading(session.home.audit) as reading:
        if snapshot is None and reading.segments:
            raise IntegrityError(
                f"there is a trail in {reading.path} and no store that knows it",
                hint="openclaw store restore BACKUP",
            )
        if snapshot is None:
            raise NotFoundError(
                "there is no store yet, and so no trail", hint="openclaw secrets create NAME"
            )
        try:
            head = secrets.trail.known(raw)
            key = snapshot.index.audit_key
            marks = _anchored(session, secrets.anchor, snapshot)
            with session.output.progress("verifying the trail") as showing:
                return verified(
                    reading, snapshot.header, key, head, anchors=marks, tell=showing.say
                )
        finally:
            snapshot.close()


def _anchored(session: Session, anchor: Anchor | None, snapshot: Snapshot) -> list[Mark]:
    """Return the record that the anchor knows; a lost anchor is an error, a late one a warning."""
    from openclaw_cli.audit.anchor import made_before
    from openclaw_cli.audit.verify import Mark as Known

    if anchor is None:
        return []
    data = anchor.current(snapshot.header.store)
    if not data and made_before(session.home.audit, anchor.setting):
        raise IntegrityError(
            f"the anchor {anchor.setting} is missing, and the trail says that it was made",
            hint="the next change makes it anew: look first whether the store is the newest",
        )
    if not data:
        session.output.warn("there is no anchor yet: the next change makes it")
        return []
    anchor.check(data, snapshot.index.audit_key, snapshot.header, snapshot.tag)
    known = anchor.decode(data, snapshot.index.audit_key)
    behind = snapshot.header.generation - known.generation
    if behind:
        session.output.warn(f"the anchor {anchor.setting} is {counted(behind, 'change')} behind")
    return [Known(known.seq, known.mac, "the anchor")]
