"""A bundle: a few secrets in one sealed file, for a job that has no store of its own.

It is a store file with one key slot of the kind `bundle`, whose parameters say until when it may be
read. It is read only, needs no home and no settings, and each reading leaves its record in the
job's output directory, which the store that it was made from takes back. `bundling.py` makes them;
`docs/bundle-format.md` is the format. Lean: the hot road imports it.
"""

from __future__ import annotations

import os
import time

from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    IntegrityError,
    LockedError,
    NotFoundError,
    OpenclawError,
    TemporaryError,
    UnrecordedError,
)
from openclaw_cli.files import failure, read_private
from openclaw_cli.service import Secrets
from openclaw_cli.store.header import unwrap
from openclaw_cli.store.keys import given
from openclaw_cli.store.reader import Snapshot
from openclaw_cli.store.seal import subkey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from openclaw_cli.home import Home
    from openclaw_cli.model import Secret
    from openclaw_cli.names import Reference
    from openclaw_cli.store.header import Header, Slot

KIND = "bundle"
VARIABLE = "OPENCLAW_BUNDLE"
KEY_FILE = "OPENCLAW_BUNDLE_KEY_FILE"
OUTPUT = "OPENCLAW_BUNDLE_OUTPUT"
OPENED = "bundle_open"

_SLIP = 300  # seconds that a runner's clock may be behind the maker's
_ONE = 1 << 62  # bytes: a job's trail is one file
_MAKE = "openclaw secrets export --sealed --for-ci NAME ... --output FILE"


class Bundle(Secrets):
    """Reads the secrets of the bundle that the environment names."""

    def __init__(self, home: Home, actor: dict[str, Any], environ: Mapping[str, str]) -> None:
        super().__init__(home, actor, self._unlocked, segment_bytes=_ONE)
        self.file = os.path.abspath(environ[VARIABLE])
        self._key_file = environ.get(KEY_FILE, "")

    def open(self) -> Snapshot:
        """Open the bundle; the caller closes it.

        Raises `ConfigError` where there is none, `LockedError` without its key, `DeniedError` when
        its time is over, and `IntegrityError`.
        """
        snapshot = opened(self.file, self._unlocked)
        try:
            self.trail.bind(snapshot.header, snapshot.index.audit_key)
            self.trail.known(self.trail.read_head())
        except BaseException:
            snapshot.close()
            raise
        return snapshot

    def unchangeable(self) -> DeniedError:
        """Return the error for whoever wants to change it."""
        return DeniedError(
            f"the bundle {self.file} can only be read",
            hint=f"unset {VARIABLE}, to change the store; then make the bundle again",
        )

    def _unlocked(self, header: Header) -> tuple[bytes, str]:
        return unlocked(header, self._key(), self.file, time.time()), KIND

    def _key(self) -> bytes:
        key = given.of_bundle()
        if key is not None:
            return key
        if not self._key_file:
            raise LockedError(
                f"the bundle {self.file} needs its key",
                hint=f"export {given.BUNDLE}=..., {KEY_FILE}=FILE, or openclaw --key-fd 3",
            )
        try:
            text = read_private(self._key_file, given.LIMIT)
        except FileNotFoundError:
            raise LockedError(
                f"the bundle's key file {self._key_file} is not there",
                hint=f"export {KEY_FILE}=/path/to/key",
            ) from None
        return given.decoded(text, self._key_file)

    def _record(
        self,
        references: Sequence[Reference],
        found: list[Secret | OpenclawError],
        purpose: str,
        seconds: float,
    ) -> None:
        for reference, answer in zip(references, found, strict=True):
            if isinstance(answer, NotFoundError):
                answer.hint = f"make a bundle with it: {_MAKE.replace('NAME', reference.path)}"
        try:
            if not self.trail.read_head():
                opening = {"kind": OPENED, "bundle": self.home.base.rpartition("/")[2]}
                self.trail.append([{**opening, "outcome": "ok", "actor": self.actor}])
            super()._record(references, found, purpose, seconds)
        except UnrecordedError as refused:
            refused.hint = f"name a directory that can be written: export {OUTPUT}=/path"
            raise


def opened(path: str, unlock: Any) -> Snapshot:  # noqa: ANN401  as `Snapshot.load` has it
    """Open a bundle; it may lie anywhere and belong to anybody, since it proves itself."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise ConfigError(f"{VARIABLE} names {path}, which does not exist", hint=_MAKE) from None
    except OSError as refused:
        raise failure("open", path, refused) from None
    snapshot = Snapshot(fd, path)
    try:
        return snapshot.load(unlock)
    except BaseException:
        snapshot.close()
        raise


def unlocked(header: Header, key: bytes, path: str, now: float) -> bytes:
    """Return the data key of a bundle while it may be read; `now` in seconds since 1970."""
    slot = only_slot(header, path)
    try:
        data_key = unwrap(header, slot, key)
    except IntegrityError:
        raise LockedError(
            f"the key does not open the bundle {path}",
            hint="the key that openclaw secrets export --sealed wrote or printed for it",
        ) from None
    made, expires = slot.parameters["made"], slot.parameters["expires"]
    if now >= expires:
        from openclaw_cli.duration import relative

        raise DeniedError(f"the bundle {path} expired {relative(expires - now)}", hint=_MAKE)
    if now < made - _SLIP:
        raise TemporaryError(
            f"the clock here is before the time when the bundle {path} was made",
            hint="timedatectl, or date",
        )
    return data_key


def only_slot(header: Header, path: str) -> Slot:
    """Return the slot of a bundle; raises `IntegrityError` for a file that is none."""
    slot = header.slots[0]
    times = [slot.parameters.get(name) for name in ("made", "expires")]
    if len(header.slots) != 1 or slot.kind != KIND or not all(type(each) is int for each in times):
        raise IntegrityError(f"{path} is not a bundle", hint=_MAKE)
    return slot


def trail_key(audit_key: bytes, bundle: bytes) -> bytes:
    """Return the key of a bundle's trails, from the key of the trail of the store it is of."""
    return subkey(audit_key, b"openclaw/v1/bundle", bundle)
