"""The only road to a value: recorded, then answered.

Both roads of the command line, the resolver and the gateway read through `Secrets`, so that there
is no reading without a record. What changes the store is in `changes.py`.
"""

from __future__ import annotations

import time

from openclaw_cli.audit.head import check_generation
from openclaw_cli.audit.trail import REVEAL, SEGMENT_BYTES, Trail
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    IntegrityError,
    NotFoundError,
    OpenclawError,
    TemporaryError,
)
from openclaw_cli.files import Directory
from openclaw_cli.leanjson import loads
from openclaw_cli.model import Secret, SecretValue, Version
from openclaw_cli.names import Reference, parse
from openclaw_cli.store.reader import FILE, open_snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Any

    from openclaw_cli.agents.granting import Guard
    from openclaw_cli.audit.anchor import Anchor
    from openclaw_cli.elsewhere import Elsewhere
    from openclaw_cli.fetching import Asking
    from openclaw_cli.home import Home
    from openclaw_cli.store.directory import Directory as Catalogue
    from openclaw_cli.store.header import Header
    from openclaw_cli.store.reader import Snapshot

    Unlock = Callable[[Header], tuple[bytes, str]]

LOCAL = "local"
CONFIG = "config"
"""Where a secret is that stands in plain text in a source of the settings."""

API_KEYS = "*api-key"
"""Among the names, the entry of every secret whose name ends so."""

_ATTEMPTS = 20
_DIGITS = 12  # of a version's number; Python refuses to read thousands of them


_NOWHERE = NotFoundError("nowhere")


class Secrets:
    """Reads the secrets of one home on behalf of one actor.

    `unlock` takes a store's header and returns its data key and the kind of slot that gave it;
    `order` are the backends that a bare name is looked for in, `fallback` those that any reference
    is looked for in after its own; `names` says where bare names lead instead, `plaintext` which of
    them stand in the settings' sources; `expected` what is expected of readings, by name;
    `elsewhere` makes the others than the local store when one is first needed, and `found` makes
    that where there is none. `guard` holds an agent to its grants.
    """

    def __init__(
        self,
        home: Home,
        actor: dict[str, Any],
        unlock: Unlock,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        anchor: str = "",
        order: Sequence[str] = (LOCAL,),
        names: dict[str, dict[str, Any]] | None = None,
        plaintext: Collection[str] = (),
        expected: dict[str, dict[str, Any]] | None = None,
        elsewhere: Callable[[], Elsewhere] | None = None,
        found: Callable[[Secrets], None] | None = None,
    ) -> None:
        self.home = home
        self.file = f"{home.secrets}/{FILE}"
        self.actor = actor
        self.unlock = unlock
        self.order = order
        self.names = names or {}
        self.plaintext = plaintext
        self.expected = expected or {}
        self.fallback: Sequence[str] = ()
        self.guard: Guard | None = None
        self.until = 0.0
        self.permit: Callable[[Reference], OpenclawError | None] | None = None
        self.asking: Asking | None = None
        self._elsewhere = elsewhere
        self._make = found
        self._others: Elsewhere | None = None
        self.trail = Trail(home.audit, segment_bytes=segment_bytes)
        self.anchor: Anchor | None = None
        if anchor:
            from openclaw_cli.audit.anchor import Anchor

            self.anchor = Anchor(anchor)

    def read(self, reference: Reference, *, purpose: str = "get") -> Secret:
        """Return one secret, its record durable; raises what `read_many` would return."""
        found = self.read_many([reference], purpose=purpose)[0]
        if isinstance(found, OpenclawError):
            raise found
        return found

    def read_many(
        self, references: Sequence[Reference], *, purpose: str
    ) -> list[Secret | OpenclawError]:
        """Return each secret, or the error that stands in its place, in the order asked.

        There is one record for each, all of them synced at once. Raises `LockedError` and
        `IntegrityError` when the store cannot be opened, `UnrecordedError` when the records cannot
        be made durable, `TemporaryError` when the store changes faster than it can be read.
        """
        given = self.guard.admit(self, references) if self.guard else {}
        for _ in range(_ATTEMPTS):
            snapshot = self.open()
            if snapshot is None:
                if self.guard is None and all(self._is_local(each) for each in references):
                    return self._suggested(references, self._without_store(references))
                snapshot = self.opened()
            try:
                started = time.monotonic()
                found = self._answers(snapshot, references, given)
                self._record(references, found, purpose, time.monotonic() - started)
                # A commit in between may have revoked what was just read: then read again, so
                # that no reading of an old value is recorded after its revocation.
                if not snapshot.replaced():
                    return found
            finally:
                snapshot.close()
        raise TemporaryError("the store changes faster than it can be read", hint="try again")

    @property
    def alone(self) -> bool:
        """Whether no other backend is known, as with a bundle: then nothing is a copy."""
        return self._elsewhere is None

    @property
    def elsewhere(self) -> Elsewhere:
        """The other backends; raises `ConfigError` where there are none."""
        if self._others is None:
            if self._elsewhere is None:
                raise ConfigError("only the local store is known here")
            self._others = self._elsewhere()
            self._others.wish.until = self.until
            self._others.asking = self.asking
        return self._others

    def opened(self) -> Snapshot:
        """Open the present state, of a new store where there is none: the trail needs its key."""
        snapshot = self.open()
        if snapshot is None and self._make:
            self._make(self)
            snapshot = self.open()
        if snapshot is None:
            raise NotFoundError("there is no store yet", hint="openclaw store init")
        return snapshot

    def copy_of(self, reference: Reference) -> bytes | None:
        """Return the copy that is kept of a reference, to compare with; nothing is given away."""
        snapshot = self.opened()
        try:
            return self.elsewhere.copy(snapshot, reference)
        finally:
            snapshot.close()

    def copied(self, reference: Reference) -> float | None:
        """Return when the copy that is kept was fetched, in seconds since 1970; None for none."""
        snapshot = self.open()
        if snapshot is None:
            return None
        try:
            return self.elsewhere.copied(snapshot, reference)
        finally:
            snapshot.close()

    def _is_local(self, reference: Reference) -> bool:
        if self.names:
            return all(each.backend == LOCAL for each in self._places(reference))
        return all(name == LOCAL for name in self._order(reference))  # of a hundred it counts

    def _answers(
        self, snapshot: Snapshot, references: Sequence[Reference], given: Mapping[str, int]
    ) -> list[Secret | OpenclawError]:
        """Return the answers; what is refused is not even looked for."""
        refused: dict[int, OpenclawError] = {}
        if self.guard:
            refused.update(self.guard.refusals(self, snapshot, references, given))
        for at, each in enumerate(references):
            no = (self.permit(each) if self.permit else None) or self._unexpected(each)
            no = no or self.astray(each)
            if no is not None:
                refused.setdefault(at, no)
        asked = [each for at, each in enumerate(references) if at not in refused]
        answers = iter(self._suggested(asked, self._found(snapshot, asked)))
        return [refused[at] if at in refused else next(answers) for at in range(len(references))]

    def astray(self, reference: Reference) -> NotFoundError | None:
        """Return the refusal of another field or version than the settings say a name leads to."""
        named = None
        if (reference.field or reference.version is not None) and not reference.backend:
            named = self.named(reference.path)
        if named is None:
            return None
        if named.field and reference.field not in ("", named.field):
            what = "field"
        elif named.version is not None and reference.version not in (None, named.version):
            what = "version"
        else:
            return None
        name = reference.path
        return NotFoundError(
            f"{name} is one {what} of something, by the settings, and has no other",
            hint=f"openclaw secrets get {name}",
        )

    def gives(self, reference: Reference) -> bool:
        """Tell whether a field is part of what its secret's name alone gives.

        Only the local store is known to give a whole value; Vault's is one field among others.
        """
        places = self._places(Reference(reference.path, backend=reference.backend))
        return all(
            each.field == reference.field or (each.backend == LOCAL and not each.field)
            for each in places
        )

    def _unexpected(self, reference: Reference) -> DeniedError | None:
        """Return the refusal of a reading that is not as expected, where that is to be refused."""
        wanted, reason = self._surprise(reference)
        if not (reason and wanted.get("enforce")):
            return None
        name = reference.path
        return DeniedError(
            f"{name} is not to be read {reason}", hint=f"openclaw secrets expect {name}"
        )

    def _surprise(self, reference: Reference) -> tuple[dict[str, Any], str]:
        """Return what is expected of this reading, and why it is not so; "" where it is."""
        wanted = self.expected.get(reference.path)
        if wanted is None:
            for name, each in self.expected.items():
                named = self.named(name)
                if named and (named.backend, named.path) == (reference.backend, reference.path):
                    wanted = each
        if wanted is None:
            return {}, ""
        from openclaw_cli.expected import unexpected

        return wanted, unexpected(wanted, self.actor, time.localtime())

    def _found(
        self, snapshot: Snapshot, references: Sequence[Reference]
    ) -> list[Secret | OpenclawError]:
        """Return the answers: of the local store, and of others where they are asked for."""
        if not self.names and all(map(self._is_local, references)):
            return [_fetch(snapshot, each) for each in references]
        answers: dict[int, Secret | OpenclawError] = {}
        # An answer takes the place of "not there", so that nothing hides a denial or damage.
        waiting = {at: self._places(each) for at, each in enumerate(references)}
        while waiting:
            now = {at: places.pop(0) for at, places in waiting.items()}
            for at, answer in self._ask(snapshot, now).items():
                before = answers.get(at, _NOWHERE)
                if isinstance(before, NotFoundError) or isinstance(answer, Secret):
                    answers[at] = answer
                passed_on = isinstance(answer, (NotFoundError, TemporaryError))
                if not passed_on or not waiting[at]:
                    del waiting[at]
        return [answers[at] for at in range(len(references))]

    def _places(self, reference: Reference) -> list[Reference]:
        """Return where a reference is looked for, in order."""
        version, field = reference.version, reference.field
        named = self.named(reference.path) if self.names and not reference.backend else None
        if named is not None:
            named.version = named.version if version is None else version
            named.field = field or named.field
        first, order = ([named], self.fallback) if named else ([], self._order(reference))
        return first + [
            Reference(reference.path, backend=name, version=version, field=field) for name in order
        ]

    def _order(self, reference: Reference) -> tuple[str, ...]:
        """Return the backends that are asked where the settings have no place for the name."""
        if reference.backend:
            return (reference.backend, *self.fallback)
        if reference.path in self.plaintext:
            return (*self.order, CONFIG, *self.fallback)
        return (*self.order, *self.fallback)

    def _without_store(self, references: Sequence[Reference]) -> list[Secret | OpenclawError]:
        from openclaw_cli.missing import without_store

        return [without_store(each.path, self.home.environment) for each in references]

    def _suggested(
        self, references: Sequence[Reference], found: list[Secret | OpenclawError]
    ) -> list[Secret | OpenclawError]:
        """Let the hint for a name that is not there be one that the settings have."""
        known = self.names or self.plaintext
        if known and any(isinstance(answer, NotFoundError) for answer in found):
            from openclaw_cli.missing import suggest

            suggest(references, found, {*self.names, *self.plaintext} - {API_KEYS})
        return found

    def named(self, name: str) -> Reference | None:
        """Return where the settings say that a bare name leads, or None."""
        found = self.names.get(name)
        if found:
            return parse(found["reference"])
        group = self.names.get(API_KEYS)
        if name in self.plaintext:
            return None
        if group and name.lower().replace("_", "-").endswith(("api-key", "apikey")):
            return Reference(name, backend=group["backend"])
        return None

    def _ask(
        self, snapshot: Snapshot, wanted: dict[int, Reference]
    ) -> dict[int, Secret | OpenclawError]:
        far = [each for each in wanted.values() if each.backend != LOCAL]
        fetched = self.elsewhere.fetch(snapshot, far) if far else {}
        return {
            at: fetched[each] if each.backend != LOCAL else _fetch(snapshot, each)
            for at, each in wanted.items()
        }

    def catalogue(self) -> Catalogue:
        """Return what is known of every secret but its values; an empty one without a store.

        Names and ages are not values, so nothing is recorded. Raises what `open` raises.
        """
        snapshot = self.open()
        if snapshot is None:
            from openclaw_cli.store.directory import Directory as Empty

            return Empty()
        try:
            return snapshot.directory()
        finally:
            snapshot.close()

    def open(self) -> Snapshot | None:
        """Open the present state, checked against the trail's head; None where there is no store.

        The caller closes it. Raises `LockedError` and `IntegrityError`.
        """
        attempts = _ATTEMPTS
        while True:
            raw = self.trail.read_head()
            elsewhere = self.anchor.read() if self.anchor else b""
            try:
                return self._opened(raw, elsewhere)
            except IntegrityError:
                # A head that was read while it was made or written fits no store. One that still
                # lies there unchanged was whole, and then this is the truth.
                attempts -= 1
                if not attempts or self.trail.read_head() == raw:
                    raise

    def _opened(self, raw: bytes, elsewhere: bytes) -> Snapshot | None:
        try:
            folder = Directory(self.home.secrets)
        except FileNotFoundError:
            self._expect_none(raw or elsewhere)
            return None
        try:
            snapshot = open_snapshot(folder, self.unlock)
        except FileNotFoundError:
            self._expect_none(raw or elsewhere)
            return None
        finally:
            folder.close()
        try:
            self.trail.bind(snapshot.header, snapshot.index.audit_key)
            check_generation(self.trail.known(raw), snapshot.header, snapshot.tag)
            if self.anchor and elsewhere:
                key = snapshot.index.audit_key
                self.anchor.check(elsewhere, key, snapshot.header, snapshot.tag)
        except BaseException:
            snapshot.close()
            raise
        return snapshot

    def _expect_none(self, known: bytes) -> None:
        if known:
            raise IntegrityError(
                f"the store {self.file} is missing, and was there before",
                hint="openclaw store restore BACKUP",
            )

    def _record(
        self,
        references: Sequence[Reference],
        found: list[Secret | OpenclawError],
        purpose: str,
        seconds: float,
    ) -> None:
        records = []
        for reference, answer in zip(references, found, strict=True):
            where = answer if isinstance(answer, Secret) else self._places(reference)[0]
            record: dict[str, Any] = {
                "kind": REVEAL,
                "name": reference.path,
                "backend": where.backend,
            }
            if reference.field:
                record["field"] = reference.field
            if isinstance(answer, Secret):
                record["version"] = answer.version.id
                record["outcome"] = "ok"
                if answer.age is not None:
                    record["age"] = round(answer.age)
            else:
                record["outcome"] = answer.kind
            if self.expected:
                reason = self._surprise(reference)[1]
                if reason:
                    record["unexpected"] = reason
            record["purpose"] = purpose
            record["ms"] = round(seconds * 1000, 1)
            record["actor"] = self.actor
            records.append(record)
        self.trail.append(records)


def _fetch(snapshot: Snapshot, reference: Reference) -> Secret | OpenclawError:
    try:
        return _local(snapshot, reference)
    except (IntegrityError, NotFoundError) as refused:
        return refused


def _local(snapshot: Snapshot, reference: Reference) -> Secret:
    name = reference.path
    if reference.version is not None:
        return _older(snapshot, reference, reference.version)
    found = snapshot.current(name)
    if found is None:
        from openclaw_cli.missing import absent

        raise absent(snapshot.directory(), name)
    number, value = found
    return Secret(_part(reference, value), Version(str(number)), LOCAL)


def _part(reference: Reference, value: bytes) -> SecretValue:
    """Return the value, or the one field of it that the reference names."""
    if not reference.field:
        return SecretValue(value)
    try:
        found = loads(value)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NotFoundError(
            f"{reference.path} has no fields: it is not a JSON object",
            hint=f"without the field: {reference.path}",
        )
    part = found.get(reference.field)
    if not isinstance(part, str) or not part:
        raise NotFoundError(
            f"{reference.path} has no text in the field {reference.field}",
            hint=f"openclaw secrets get {reference.path}, which has all of them",
        )
    return SecretValue(part.encode())


def _older(snapshot: Snapshot, reference: Reference, version: str) -> Secret:
    name = reference.path
    directory = snapshot.directory()
    entry = directory.entries.get(name)
    if entry is None or entry.deleted:
        from openclaw_cli.missing import absent

        raise absent(directory, name)
    row = entry.version(int(version)) if version.isdecimal() and len(version) < _DIGITS else None
    if row is None:
        raise NotFoundError(
            f"{name} has no version {version}", hint=f"openclaw secrets history {name}"
        )
    value = snapshot.value(name, row.number, row.place)
    made = Version(str(row.number), stage=row.stage, created=row.created / 1000)
    return Secret(_part(reference, value), made, LOCAL)
