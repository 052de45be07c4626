"""The anchor: what the newest state of the store is, known outside the state directory.

Somebody who puts back the store, the trail and the head together goes unnoticed by the three of
them. An anchor notices: a file on another disk (`file:/path`) or an item in the desktop's keyring
(`keyring`). It is written after each change, and never ahead of the store.
"""

from __future__ import annotations

import os
import stat

from openclaw_cli import newfile
from openclaw_cli.errors import ConfigError, DeniedError, IntegrityError, OpenclawError
from openclaw_cli.fileformat import in_magic, newer
from openclaw_cli.files import failure, read_all
from openclaw_cli.leanjson import dumps, loads
from openclaw_cli.store.seal import hmac, same, subkey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openclaw_cli.audit.trail import Trail
    from openclaw_cli.store.header import Header

MADE = "anchor_made"
FORMAT = "openclaw-anchor-1"
KEYRING = "keyring"
FILE = "file:"
ABSENT = b""

_LIMIT = 4096  # bytes
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_WRITERS = 0o022
_HINT = "openclaw config show store.anchor"


class Known:
    """A state of the store as an anchor has it, with the record that announced it."""

    __slots__ = ("generation", "mac", "seq", "store", "tag")

    def __init__(self, store: bytes, generation: int, tag: bytes, seq: int, mac: bytes) -> None:
        self.store = store
        self.generation = generation
        self.tag = tag
        self.seq = seq
        self.mac = mac

    def encode(self, key: bytes) -> bytes:
        """Return the line that an anchor holds."""
        fields: dict[str, Any] = {
            "format": FORMAT,
            "store": self.store.hex(),
            "generation": self.generation,
            "tag": self.tag.hex(),
            "seq": self.seq,
            "mac": self.mac.hex(),
        }
        fields["seal"] = _seal(key, fields).hex()
        return dumps(fields).encode() + b"\n"


class Anchor:
    """The anchor that the setting `store.anchor` names."""

    __slots__ = ("_absent", "path", "setting")

    def __init__(self, setting: str) -> None:
        """Take the setting; raises `ConfigError` unless it is `keyring` or `file:/a/path`."""
        self.setting = setting
        self.path = setting.removeprefix(FILE) if setting.startswith(FILE) else ""
        self._absent = False
        if setting == KEYRING:
            return
        if not self.path.startswith("/") or os.path.normpath(self.path) != self.path:
            raise ConfigError(
                "store.anchor takes file:/an/absolute/path, or keyring",
                hint="openclaw config set store.anchor file:/media/stick/openclaw.anchor",
            )

    def read(self) -> bytes:
        """Return what a file holds, `ABSENT` where there is none; always that for the keyring.

        To be called before the store is opened, as the trail's head is read. Raises `DeniedError`
        for a link or for what is not ours alone to write, `ConfigError` for another kind of file.
        """
        if not self.path:
            return ABSENT
        try:
            fd = os.open(self.path, os.O_RDONLY | _OPEN)
        except (FileNotFoundError, NotADirectoryError):
            return ABSENT
        except OSError as refused:
            raise failure("open", self.path, refused) from None
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
                raise DeniedError(f"{self.path} is not a plain file", hint=f"ls -l {self.path}")
            _check_ours(found, self.path)
            if found.st_size > _LIMIT:
                raise self._other()
            data = read_all(fd, self.path, _LIMIT)
        finally:
            os.close(fd)
        self._fields(data)
        return data

    def check(self, data: bytes, key: bytes, header: Header, tag: bytes) -> None:
        """Refuse a store that is older than the one an anchor knows, or another of its age."""
        if data == ABSENT:
            return
        known = self.decode(data, key)
        if known.store != header.store:
            raise ConfigError(f"the anchor {self.setting} is of another store", hint=_HINT)
        hint = "openclaw store accept-rollback, when you restored it yourself"
        if header.generation < known.generation:
            raise IntegrityError(
                f"the store was put back: it is generation {header.generation}, the anchor "
                f"{self.setting} knows generation {known.generation}",
                hint=hint,
            )
        if header.generation == known.generation and not same(tag, known.tag):
            raise IntegrityError(
                f"the store is another one than the anchor {self.setting} knows", hint=hint
            )

    def current(self, store: bytes) -> bytes:
        """Return what the anchor holds now, from the keyring, too; the store's lock is held.

        Raises `LockedError` where the keyring does not answer: a change that could not be noted
        there is not begun.
        """
        if self.path:
            _check_folder(os.path.dirname(self.path))
            return self.read()
        from openclaw_cli.store.keys import keyring

        return keyring.held(_item(store)).encode()

    def before_change(self, key: bytes, header: Header, tag: bytes) -> None:
        """Check the present state once more, with the keyring, too, before it is changed.

        Raises what `current` and `check` raise.
        """
        data = self.current(header.store)
        self.check(data, key, header, tag)
        self._absent = data == ABSENT

    def after_change(self, trail: Trail, actor: dict[str, Any], header: Header, tag: bytes) -> None:
        """Note the state that is in force now; record it when there was no anchor before.

        Nothing is raised: the change was made, and must not be called failed.
        """
        known = Known(header.store, header.generation, tag, header.floor_seq, header.floor_mac)
        if not self.write(known, trail.key) or not self._absent:
            return
        self._absent = False
        event = {"kind": MADE, "to": self.setting, "outcome": "ok", "actor": actor}
        try:
            if made_before(trail.path, self.setting):
                event["reason"] = "lost"
            trail.append([event], durable=False)
        except OpenclawError:
            return

    def generation(self, key: bytes, store: bytes) -> int:
        """Return the generation that the anchor knows, 0 where it has none of this store.

        For whoever accepts a store that was put back: it must go on above that.
        """
        try:
            known = self.decode(self.current(store), key)
        except (ConfigError, IntegrityError):
            return 0
        return known.generation if known.store == store else 0

    def write(self, known: Known, key: bytes) -> bool:
        """Note a state; tell whether that succeeded.

        The change is in force already, and an older state in the anchor is right, if weaker: the
        next change notes its own, and `audit verify` says how far behind the anchor is.
        """
        data = known.encode(key)
        try:
            if self.path:
                newfile.replace(self.path, data)
            else:
                from openclaw_cli.store.keys import keyring

                keyring.asked("set", _item(known.store), data.decode())
        except (OSError, OpenclawError):
            return False
        return True

    def decode(self, data: bytes, key: bytes) -> Known:
        """Read what an anchor holds; raises `IntegrityError` when it is forged or damaged."""
        fields = self._fields(data)
        seal = fields.pop("seal", "")
        try:
            sealed = bytes.fromhex(seal)
            known = Known(
                bytes.fromhex(fields["store"]),
                fields["generation"],
                bytes.fromhex(fields["tag"]),
                fields["seq"],
                bytes.fromhex(fields["mac"]),
            )
        except (ValueError, TypeError, KeyError):
            raise self._forged() from None
        if not same(sealed, _seal(key, fields)):
            raise self._forged()
        return known

    def _fields(self, data: bytes) -> dict[str, Any]:
        try:
            fields = loads(data)
        except ValueError:
            fields = None
        said = fields.get("format") if isinstance(fields, dict) else None
        if isinstance(fields, dict) and said == FORMAT:
            return fields
        number = in_magic(str(said).encode(), FORMAT.encode(), 1)
        raise newer(f"the anchor {self.setting}", number) if number else self._other()

    def _forged(self) -> IntegrityError:
        return IntegrityError(f"the anchor {self.setting} is not authentic", hint=_HINT)

    def _other(self) -> ConfigError:
        return ConfigError(f"{self.setting} is not an anchor and is left as it is", hint=_HINT)


def made_before(path: str, setting: str) -> bool:
    """Tell whether the trail in a folder says that this anchor was made."""
    from openclaw_cli.audit.reading import Reading

    made = f'"kind":"{MADE}","to":{dumps(setting)},'.encode()
    with Reading(path) as reading:
        lines = (line for each in reading.segments for line in reading.lines(each))
        return any(made in line for line in lines)


def _seal(key: bytes, fields: dict[str, Any]) -> bytes:
    return hmac(subkey(key, b"openclaw/v1/anchor"), dumps(fields).encode())


def _item(store: bytes) -> tuple[str, str]:
    return f"openclaw/{store.hex()}", "anchor"


def _check_ours(found: os.stat_result, path: str) -> None:
    if found.st_uid != os.geteuid() or found.st_mode & _WRITERS:
        raise DeniedError(f"others can write {path}", hint=f"ls -l {path}")


def _check_folder(path: str) -> None:
    try:
        found = os.stat(path)
    except OSError as refused:
        raise failure("open", path, refused) from None
    others = found.st_mode & _WRITERS and not found.st_mode & stat.S_ISVTX
    if others or found.st_uid not in (0, os.geteuid()):
        raise DeniedError(f"others can replace what is in {path}", hint=f"ls -ld {path}")
