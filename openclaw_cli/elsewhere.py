"""Secrets that live elsewhere: fetched for whoever reads, written and deleted with a record.

A change has two records, before and after, as one of the local store has; between them the network
is asked, and no lock is held. Imported only when a reference or a setting names another backend,
and lean up to where a copy answers: what the backends need is imported when one is asked.
"""

from __future__ import annotations

import os

from openclaw_cli.cache import Cache
from openclaw_cli.errors import TemporaryError, UsageError
from openclaw_cli.fetching import Fetcher, Wish
from openclaw_cli.leanjson import dumps
from openclaw_cli.service import CONFIG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from openclaw_cli.fetching import Answers, Asking
    from openclaw_cli.home import Home
    from openclaw_cli.model import SecretValue
    from openclaw_cli.names import Reference
    from openclaw_cli.service import Secrets
    from openclaw_cli.settings import Settings
    from openclaw_cli.store.reader import Snapshot

    T = TypeVar("T")

_VARIABLES = {
    "vault": "VAULT_",
    "aws-secrets-manager": "AWS_",
    "aws-parameter-store": "AWS_",
}
"""What the names of the variables begin with that a backend reads by itself."""


class Elsewhere:
    """The other backends as this home's settings have them; each is opened once."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        self._open: dict[str, Any] = {}
        self.asking: Asking | None = None
        self.wish = Wish(fresh=settings["cache.seconds"], stale=settings["cache.stale-seconds"])
        named = [each for each in settings.names.values() if "cache" in each]
        self.wish.own = {each["reference"]: each["cache"] for each in named if "reference" in each}

    def backend(self, name: str) -> Any:  # noqa: ANN401  what it can do is the methods it has
        """Return a backend; raises `ConfigError` for an unknown one, or wrong settings."""
        if name == CONFIG and name not in self._open:
            from openclaw_cli.plaintext import Plaintext

            self._open[name] = Plaintext(self._settings.plaintext)
        if name not in self._open:
            from openclaw_cli.backends import BACKENDS

            self._open[name] = BACKENDS.get(name)(self._settings.backend(name))
        return self._open[name]

    def fetch(self, snapshot: Snapshot, references: Sequence[Reference]) -> Answers:
        """Return an answer for each reference; copies are sealed with the store's data key."""
        fetcher = Fetcher(self._cache(snapshot), self.backend, asking=self.asking)
        return fetcher.fetch(references, self.wish)

    def copy(self, snapshot: Snapshot, reference: Reference) -> bytes | None:
        """Return the copy that is kept of a reference, whatever its age."""
        found = self._cache(snapshot).get(reference)
        return found.value if found else None

    def copied(self, snapshot: Snapshot, reference: Reference) -> float | None:
        """Return when the copy that is kept was fetched, in seconds since 1970."""
        found = self._cache(snapshot).get(reference)
        return found.fetched if found else None

    def forget(self, snapshot: Snapshot, reference: Reference) -> None:
        """Forget every copy of what is being changed."""
        self._cache(snapshot).changed(reference)

    def lists(self, backend: str) -> bool:
        """Tell whether a backend can say what it has."""
        from openclaw_cli.backends.protocols import Listable

        return isinstance(self.backend(backend), Listable)

    def names(self, backend: str, prefix: str = "") -> list[str]:
        """Return the paths a backend has; raises `UsageError` where it cannot say."""
        from openclaw_cli.backends.protocols import Listable

        opened = self.backend(backend)
        if not isinstance(opened, Listable):
            raise UsageError(
                f"the {backend} backend cannot be listed",
                hint=f"openclaw secrets get {backend}://NAME",
            )
        return opened.names(prefix)

    def _cache(self, snapshot: Snapshot) -> Cache:
        path = f"{self._home.secrets}/cache"
        return Cache(path, snapshot.data_key, snapshot.header.store, self._account)

    def _account(self, backend: str) -> str:
        """Return as whom and where a backend is asked: by settings and by its own variables."""
        table = self._settings.backend(backend)
        beginning = _VARIABLES.get(backend)
        passed = str(table.get("pass-env", "")).split() if backend == "exec" else []
        read = {
            name: value
            for name, value in os.environ.items()
            if name in passed or (beginning and name.startswith(beginning))
        }
        return dumps([sorted(table.items()), sorted(read.items())])


def put(secrets: Secrets, reference: Reference, value: SecretValue) -> str:
    """Keep a new version in the reference's backend; return its version.

    Raises `UsageError` where it cannot be written, and what the backend raises.
    """
    from openclaw_cli.backends.protocols import Writable

    backend = secrets.elsewhere.backend(reference.backend)
    if not isinstance(backend, Writable):
        raise UsageError(
            f"the {reference.backend} backend cannot be written",
            hint="name another backend: --backend NAME",
        )
    return _recorded(
        secrets, "secret_set", reference, lambda: backend.put(reference.path, value).id
    )


def delete(secrets: Secrets, reference: Reference) -> bool:
    """Delete in the reference's backend; tell whether there was something."""
    from openclaw_cli.backends.protocols import Deletable

    backend = secrets.elsewhere.backend(reference.backend)
    if not isinstance(backend, Deletable):
        raise UsageError(
            f"the {reference.backend} backend cannot delete", hint="delete it where it lives"
        )
    return _recorded(secrets, "secret_delete", reference, lambda: backend.delete(reference.path))


def _recorded(secrets: Secrets, kind: str, reference: Reference, act: Callable[[], T]) -> T:
    from openclaw_cli.audit.announcing import UNKNOWN, announced
    from openclaw_cli.backends.protocols import UncertainError

    if reference.version is not None or reference.field:
        raise UsageError(
            "a version or a field cannot be written, only the whole secret",
            hint="leave out what follows ? or #",
        )
    snapshot = secrets.opened()
    try:
        event = {"kind": kind, "name": reference.path, "backend": reference.backend}
        with announced(secrets.trail, {**event, "actor": secrets.actor}) as ending:
            # Before and after: a copy that is on its way meanwhile must not stay, nor one from
            # before a change that was made and could not be answered.
            secrets.elsewhere.forget(snapshot, reference)
            try:
                result = act()
            except UncertainError as unknown:
                ending["outcome"] = UNKNOWN
                raise TemporaryError(
                    f"{unknown.message}; whether it was changed there is not known",
                    hint=f"openclaw secrets get {reference} --no-cache",
                ) from None
            finally:
                secrets.elsewhere.forget(snapshot, reference)
            if isinstance(result, str):
                ending["version"] = result
        return result
    finally:
        snapshot.close()
