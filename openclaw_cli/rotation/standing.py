"""Schedules that the settings have: of secrets that live elsewhere, and of the store's data key.

They are taken over into the sealed directory when a run first sees them, so that what is due is
known without asking anybody. What lives elsewhere is renewed by a person there, or by `set`; a run
asks its backend, once it is due, whether that has happened.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from openclaw_cli.backends.protocols import Versioned
from openclaw_cli.duration import DAY
from openclaw_cli.errors import ConfigError, OpenclawError, RefusedError
from openclaw_cli.names import Reference, parse
from openclaw_cli.rotation import agenda, chosen, policy, schedule, steps
from openclaw_cli.rotation.overview import OF_THE_STORE, far
from openclaw_cli.rotation.policy import Failure, Policy
from openclaw_cli.rotation.tasks import PURPOSE
from openclaw_cli.service import API_KEYS, LOCAL

if TYPE_CHECKING:
    from openclaw_cli.changes import Changes
    from openclaw_cli.service import Secrets
    from openclaw_cli.settings import Settings
    from openclaw_cli.store.commit import Draft
    from openclaw_cli.store.directory import Entry

Errors = list[tuple[str, OpenclawError]]


class Standing:
    """The settings' schedules in the store of one home; `rekey` gives it a new data key."""

    def __init__(
        self,
        secrets: Secrets,
        changes: Changes,
        settings: Settings,
        now: Callable[[], float],
        rekey: Callable[[], object],
    ) -> None:
        self._secrets = secrets
        self._changes = changes
        self._settings = settings
        self._now = now
        self._rekey = rekey

    def take_over(self) -> Errors:
        """Remember the settings' schedules where they are not those that are known; errors."""
        wished = agenda.wished(self._settings)
        directory = self._secrets.catalogue()
        grown = API_KEYS in wished and agenda.times(directory).get(agenda.GROUP, 0) <= self._now()
        if agenda.wishes(directory) == wished and not grown:
            return []
        places: dict[str, schedule.Schedule] = {}
        failed: Errors = []
        for name, text in wished.items():
            try:
                places |= self._places(name, schedule.parse(text))
            except OpenclawError as wrong:
                failed.append((name, ConfigError(f"{name}: {wrong.message}", hint=wrong.hint)))

        def change(draft: Draft, _now: int) -> None:
            kept = draft.directory.extra.setdefault(agenda.KEY, {})
            before, far = kept.get("wishes", {}), kept.setdefault("far", {})
            for name in [name for name in far if name not in places]:
                del far[name]
                agenda.note(draft.directory, name, None)
            agenda.note(
                draft.directory, agenda.GROUP, self._now() + DAY if API_KEYS in wished else None
            )
            taken = {name: self._take(draft, name, place) for name, place in places.items()}
            kept["wishes"] = wished if all(taken.values()) and not failed else before

        self._changes.amend("rotation_policy", {}, change)
        return failed

    def due(self, names: list[str]) -> tuple[list[str], Errors, Errors, set[str]]:
        """See to those of the names that are not secrets of the store.

        Returns what was renewed, what failed, what a person must renew, and of these the ones
        that were told of within the last day.
        """
        renewed: list[str] = []
        failed: Errors = []
        persons: Errors = []
        told: set[str] = set()
        directory = self._secrets.catalogue()
        for name in names:
            found = far(directory).get(name)
            if found is None or name in directory.entries:
                continue
            try:
                if self._is_renewed(name, found):
                    renewed.append(OF_THE_STORE if name == agenda.DATA_KEY else name)
                    self._put(name, self._renewal(name))
                    continue
            except OpenclawError as refused:
                failed.append((name, refused))
                self._put(name, self._set_back(refused))
                continue
            persons.append((name, _by_person(self._settings, name)))
            if _was_told(found, self._now()):
                told.add(name)
                continue
            self._put(name, self._reminded)
        return renewed, failed, persons, told

    def renewed_by_hand(self, name: str) -> None:
        """Note that somebody kept a new value elsewhere."""
        if name in far(self._secrets.catalogue()):
            self._put(name, self._renewal(name))

    def _places(self, name: str, times: schedule.Schedule) -> dict[str, schedule.Schedule]:
        """Return the secrets that an entry of the settings stands for."""
        if name != API_KEYS:
            return {name: times}
        backend = self._settings.names[name]["backend"]
        if backend == LOCAL:
            there = [each.name for each in self._secrets.catalogue().entries.values()]
        else:
            there = self._secrets.elsewhere.names(backend)
        return {each: times for each in there if self._secrets.named(each)}

    def _take(self, draft: Draft, name: str, times: schedule.Schedule) -> bool:
        """Put one schedule in its place; false where there is no such secret yet."""
        now, store = self._now(), draft.header.store
        path = self._local(name)
        if path:
            entry = draft.directory.entries.get(path)
            if entry is None or entry.deleted:
                return False
            self._take_locally(draft, entry, times)
            return True
        table = draft.directory.extra[agenda.KEY]["far"]
        found = policy.read(table.get(name, {}))
        if found.times != times:
            found = Policy(rotator=chosen.PERSON, schedule=times.text)
            found = steps.planned(found, name, store, now, now)
        _keep(draft, name, found)
        return True

    def _take_locally(self, draft: Draft, entry: Entry, times: schedule.Schedule) -> None:
        found = policy.read(entry.policy)
        if found.times == times:
            return
        rotator = found.rotator or chosen.meant(entry, found.settings)
        row = entry.current()
        changed = row.created / 1000 if row else self._now()
        after = replace(found, rotator=rotator, schedule=times.text, zone=times.zone)
        after = steps.planned(after, entry.name, draft.header.store, self._now(), changed)
        entry.policy = policy.write(after)
        agenda.note(draft.directory, entry.name, steps.attention(after))

    def _local(self, name: str) -> str:
        """Return the name in the store that a name of the settings leads to, or ""."""
        if name == agenda.DATA_KEY:
            return ""
        led = self._secrets.named(name)
        return led.path if led and led.backend == LOCAL else ""

    def _is_renewed(self, name: str, found: Policy) -> bool:
        """Renew what can be, or look whether somebody has."""
        if name == agenda.DATA_KEY:
            self._rekey()
            return True
        led = self._secrets.named(name)
        if led is None:
            return False
        return self._made(led) > max(found.last_ok, found.since)

    def _made(self, led: Reference) -> float:
        """Return when the value elsewhere was made, 0 where its backend cannot say."""
        backend = self._secrets.elsewhere.backend(led.backend)
        if isinstance(backend, Versioned):
            return max((each.created for each in backend.versions(led.path)), default=0)
        self._secrets.elsewhere.wish.at_most(0.0)
        return self._secrets.read(led, purpose=PURPOSE).version.created

    def _renewal(self, name: str) -> Callable[[Policy], Policy]:
        snapshot = self._secrets.opened()
        store = snapshot.header.store
        snapshot.close()
        return lambda found: steps.renewed(found, name, store, self._now())

    def _reminded(self, found: Policy) -> Policy:
        told = Failure(self._now(), chosen.PERSON, chosen.PERSON, "")
        return replace(found, failure=told, failures=0)

    def _set_back(self, refused: OpenclawError) -> Callable[[Policy], Policy]:
        return lambda found: steps.waiting(found, steps.SET, refused, self._now())

    def _put(self, name: str, step: Callable[[Policy], Policy]) -> None:
        def change(draft: Draft, _now: int) -> None:
            found = far(draft.directory).get(name)
            if found is not None:
                _keep(draft, name, step(found))
                agenda.note_seen(draft.directory, self._now())

        with suppress(OpenclawError):
            self._changes.amend("rotation_policy", {"name": name}, change)


def _keep(draft: Draft, name: str, found: Policy) -> None:
    draft.directory.extra[agenda.KEY]["far"][name] = policy.write(found)
    agenda.note(draft.directory, name, steps.attention(found))


def _was_told(found: Policy, now: float) -> bool:
    """Tell whether a person was reminded within the last day."""
    last = found.failure
    return bool(last and last.kind == chosen.PERSON and now - last.at < DAY - agenda.SLACK)


def _by_person(settings: Settings, name: str) -> RefusedError:
    reference = settings.names.get(name, {}).get("reference", "")
    where = f" ({parse(reference)})" if reference else ""
    return RefusedError(
        f"a person must renew {name}{where}",
        hint=f"openclaw secrets set {name}, with the new value",
    )
