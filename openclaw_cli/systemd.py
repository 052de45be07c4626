"""Units of systemd's user manager: written, started, taken away."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

from openclaw_cli import newfile
from openclaw_cli.files import failure, make_folders, sync_folder
from openclaw_cli.which import which

_SECONDS = 30.0


def folder(environ: Mapping[str, str]) -> str:
    """Return where systemd looks for the user's units."""
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(config, "systemd", "user")


def there(where: str, names: Sequence[str]) -> list[str]:
    """Return the paths of those of these units that are in a folder."""
    paths = [os.path.join(where, name) for name in names]
    return [path for path in paths if os.path.lexists(path)]


def write(where: str, units: Mapping[str, str]) -> None:
    """Write units, each as a whole; the folder may be one that others can list."""
    make_folders(where)
    for name, text in units.items():
        newfile.write(os.path.join(where, name), [text.encode()], force=True)


def enable(name: str) -> bool:
    """Have systemd start a unit, now and from now on; false where no user manager can be asked."""
    return _asked("daemon-reload") and _asked("enable", "--now", name)


def remove(where: str, names: Sequence[str]) -> list[str]:
    """Stop units and remove their files, the first of them first; return what was there."""
    found = there(where, names)
    for path in found:
        _asked("disable", "--now", os.path.basename(path))
    for path in found:
        try:
            os.unlink(path)
        except OSError as refused:
            raise failure("remove", path, refused) from None
    if found:
        with suppress(OSError):  # they are gone; a power cut may bring them back
            sync_folder(where)
        _asked("daemon-reload")
    return found


def quoted(word: str) -> str:
    """Write a word of a command, or a variable, as systemd reads it."""
    return f'"{escaped(word)}"'.replace("$", "$$")


def escaped(text: str) -> str:
    """Write what stands between quotes."""
    for letter, written in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%")):
        text = text.replace(letter, written)
    return text


def _asked(*words: str) -> bool:
    program = which("systemctl")
    if not program:
        return False
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program
            [program, "--user", *words], capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
