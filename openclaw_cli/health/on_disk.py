"""Who can open the files of a home, what its store's keys are, what stands there in plain text."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Mapping
from typing import Any

from openclaw_cli.errors import OpenclawError, StorageError
from openclaw_cli.files import read_all
from openclaw_cli.health.finding import ADVICE, ATTENTION, BAD, Finding, some
from openclaw_cli.health.lately import listed
from openclaw_cli.health.looking import BUNDLE, Look
from openclaw_cli.home import Home
from openclaw_cli.settings import SHARED, check_root
from openclaw_cli.store.header import Header
from openclaw_cli.store.keys import file as key_file
from openclaw_cli.store.keys.slots import second

PLAINTEXT_BYTES = 4 * 1024 * 1024  # of a file; a longer one holds no settings
PLAINTEXT_WORDS = 300  # of a file: judging one takes a third of a millisecond

_WORD = rb"[A-Za-z0-9_./+:-]{16,512}"

Plaintext = Mapping[str, Mapping[str, Any]]


def of_permissions(home: Home) -> list[Finding]:
    """Find what others can read or write, or what is not ours."""
    found = []
    try:
        check_root(home.root)
    except OpenclawError as refused:
        found.append(Finding("permissions", home.root, refused.message, refused.hint, BAD))
    for folder in (home.secrets, home.audit):
        found += _too_open(folder, 0o700)
        for name in listed(folder):
            path = f"{folder}/{name}"
            if not stat.S_ISDIR(_mode(path)):
                found += _too_open(path, 0o600)
    elsewhere = key_file.path(home)
    if os.path.dirname(elsewhere) != home.secrets:
        found += _too_open(elsewhere, 0o600)
    return found


def of_one_key(header: Header, store: str) -> list[Finding]:
    """Find that one lost key would be the end of it."""
    if len(header.slots) > 1:
        return []
    kind = header.slots[0].kind
    why = f"only one key opens the store ({kind}): without it all secrets are lost"
    return [Finding("one-key", store, why, f"openclaw store slots add {second(kind)}")]


def of_keys(seen: Look, home: Home) -> list[Finding]:
    """Find what makes the keys of a store easy to lose, or easy to take along."""
    if seen.header is None or seen.opened_by == BUNDLE:
        return []
    found = of_one_key(seen.header, seen.store)
    kinds = [slot.kind for slot in seen.header.slots]
    if key_file.KIND in kinds and _beside(key_file.path(home), home):
        found.append(
            Finding(
                "key-beside-store",
                key_file.path(home),
                "the key lies beside the store: who copies the directory can open it",
                "openclaw store slots add passphrase (or keyring), then slots remove file",
                ADVICE,
            )
        )
    return found


def of_encryption(seen: Look, wanted: Mapping[str, str]) -> list[Finding]:
    """Find that the store's key is not wrapped by what the configuration names."""
    kind = wanted.get("slot", "")
    if not kind or seen.header is None or kind in [slot.kind for slot in seen.header.slots]:
        return []
    key = f" --key-id {wanted['key']}" if "key" in wanted else ""
    return [
        Finding(
            "not-wrapped",
            seen.store,
            f"the configuration names {kind} for encryption, and the store has no such key slot",
            f"openclaw store slots add {kind}{key}",
        )
    ]


def of_plaintext(
    home: Home, named: Plaintext | None = None, kept: Collection[str] = ()
) -> list[Finding]:
    """Find keys that lie in plain text in the files of the state directory.

    `named` is `Settings.plaintext`: what the configuration itself calls a secret; `kept` are those
    that the store has. Of the rest only what is surely a key by its form is reported, with its line
    and never its text.
    """
    found = [_named_plainly(path, names, kept) for path, names in _by_file(named or {}).items()]
    known = {each.where for each in found}
    folders = dict.fromkeys((home.root, home.base))
    for path in [f"{folder}/{name}" for folder in folders for name in listed(folder)]:
        name = os.path.basename(path)
        if name != ".env" and not name.startswith((SHARED, ".env.", "settings.toml")):
            continue
        if stat.S_ISREG(_mode(path)) and path not in known:
            found += _plaintext(path)
    return found


def _too_open(path: str, mode: int) -> list[Finding]:
    try:
        found = os.lstat(path)
    except OSError:
        return []
    if stat.S_ISLNK(found.st_mode):
        return [Finding("permissions", path, f"{path} is a symbolic link", f"ls -l {path}", BAD)]
    if found.st_uid != os.geteuid():
        why = f"{path} belongs to another user"
        return [Finding("permissions", path, why, f"ls -ld {path}", BAD)]
    if found.st_mode & 0o077:
        why = f"others can open {path}"
        return [Finding("permissions", path, why, f"chmod {mode:o} {path}", BAD)]
    return []


def _beside(path: str, home: Home) -> bool:
    return os.path.lexists(path) and os.path.realpath(path).startswith(f"{home.root}/")


def _by_file(named: Plaintext) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, each in named.items():
        found.setdefault(each["origin"].rpartition(":")[0], []).append(name)
    return found


def _named_plainly(path: str, names: list[str], kept: Collection[str]) -> Finding:
    left = sorted({*names} - {*kept})
    them = "it" if len(names) == 1 else "them"
    hint = f"the store has {them}: take {them} out of {path}"
    if left:
        hint = "openclaw secrets migrate"
    what = "1 secret stands" if len(names) == 1 else f"{len(names)} secrets stand"
    readable = bool(_mode(path) & 0o077)
    others = ", which others can read" if readable else ""
    return Finding(
        "plaintext",
        path,
        f"{what} in plain text in {path}{others}: {some(names)}",
        hint,
        BAD if readable else ATTENTION,
    )


def _plaintext(path: str) -> list[Finding]:
    from openclaw_cli import providers

    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return []
    try:
        text = read_all(fd, path, PLAINTEXT_BYTES)
    except StorageError:
        return []
    finally:
        os.close(fd)
    for number, word in _words(text)[:PLAINTEXT_WORDS]:
        issuer = providers.recognise(word)
        if issuer:
            return [
                Finding(
                    "plaintext",
                    path,
                    f"a key of {issuer.title} stands in plain text in {path}, line {number}",
                    f"openclaw secrets create {issuer.name}-key, then take it out of there",
                )
            ]
    return []


def _words(text: bytes) -> list[tuple[int, bytes]]:
    """Return what may be a key in JSON, TOML or dotenv, with its line."""
    found: dict[bytes, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for word in re.findall(_WORD, line):
            if re.search(rb"[0-9]", word) and re.search(rb"[A-Za-z]", word):
                found.setdefault(word, number)
    return [(number, word) for word, number in found.items()]


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0
