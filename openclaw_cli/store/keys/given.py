"""A store's key that is not in its key file: whoever starts the program gives it along.

By a descriptor (`--key-fd N`), in the variable OPENCLAW_STORE_KEY, or as a credential of systemd
(`LoadCredential=openclaw-store-key:...`). The first two are taken once, at the start: then they are
gone, so that no program that we start inherits them. So is the key of a bundle (`bundle.py`), in
OPENCLAW_BUNDLE_KEY. Lean: the hot road imports it.
"""

from __future__ import annotations

import os
import stat

from openclaw_cli.errors import DeniedError, IntegrityError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

VARIABLE = "OPENCLAW_STORE_KEY"
BUNDLE = "OPENCLAW_BUNDLE_KEY"
FOLDER = "CREDENTIALS_DIRECTORY"
CREDENTIAL = "openclaw-store-key"

KEY = 32  # bytes
LIMIT = 256  # bytes; a key is 64 hexadecimal digits and a newline

_taken: dict[str, bytes] = {}


def take(environ: MutableMapping[str, str], descriptor: int | None) -> None:
    """Take what this start was given, and forget what an earlier one in this process was.

    Raises `UsageError` for a descriptor that is not open, `IntegrityError` for what is no key.
    """
    _taken.clear()
    written = {
        "variable": (VARIABLE, environ.pop(VARIABLE, "")),
        "bundle": (BUNDLE, environ.pop(BUNDLE, "")),
    }
    if descriptor is not None:
        _taken["descriptor"] = decoded(_read(descriptor), f"descriptor {descriptor}")
    for word, (name, text) in written.items():
        if text:
            _taken[word] = decoded(text.encode(errors="replace"), name)


def found() -> tuple[bytes, str] | None:
    """Return the key and how it came: "descriptor", "variable" or "credential"; None for none."""
    for word in ("descriptor", "variable"):
        if word in _taken:
            return _taken[word], word
    path = credential()
    if not os.path.lexists(path):
        return None
    return decoded(_credential(path), path), "credential"


def of_bundle() -> bytes | None:
    """Return the key of a bundle, if it came by a descriptor or in its variable."""
    return _taken.get("descriptor") or _taken.get("bundle")


def credential() -> str:
    """Return where a credential of systemd would be, "" outside of its services."""
    folder = os.environ.get(FOLDER, "")
    return f"{folder}/{CREDENTIAL}" if folder.startswith("/") else ""


def decoded(text: bytes, where: str) -> bytes:
    """Return the key that 64 hexadecimal digits spell; raises `IntegrityError`."""
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY:
        raise IntegrityError(f"{where} does not hold a key: 64 hexadecimal digits")
    return key


def _read(descriptor: int) -> bytes:
    if descriptor <= 2:  # noqa: PLR2004  a value is read from standard input
        raise UsageError(
            "--key-fd takes a descriptor from 3 on", hint="openclaw --key-fd 3 ... 3< FILE"
        )
    text = b""
    try:
        while len(text) <= LIMIT:
            chunk = os.read(descriptor, LIMIT)
            if not chunk:
                break
            text += chunk
        os.close(descriptor)
    except OSError:
        raise UsageError(
            f"descriptor {descriptor} is not open for reading",
            hint=f"openclaw --key-fd {descriptor} ... {descriptor}< FILE",
        ) from None
    return text


def _credential(path: str) -> bytes:
    """Read a credential: root's or ours; systemd lets us read it by an access list if it must."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise DeniedError(f"{path} cannot be read", hint=f"ls -l {path}") from None
    try:
        seen = os.fstat(fd)
        if seen.st_uid not in (0, os.geteuid()) or seen.st_mode & 0o027:
            raise DeniedError(f"others can read or write {path}", hint=f"ls -l {path}")
        if not stat.S_ISREG(seen.st_mode):
            raise DeniedError(f"{path} is not a plain file", hint=f"ls -l {path}")
        return os.read(fd, LIMIT)
    finally:
        os.close(fd)
