"""Where the three programs begin: a short way to our own modules, and then the fast road.

Python looks for a module in every place and under every ending there is, three times as long as it
takes to load one; a `get` loads thirty of ours, and three packages of the library that has the
ciphers. So those are looked for where they must be: as byte code beside their source. What is not
exactly there, and of the source as it is now, is left to Python's own way, which writes the byte
code.
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import NoReturn

_ENDING = f".{sys.implementation.cache_tag}.pyc"
_PREFIX = MAGIC_NUMBER + bytes(4)  # the four: the source's time and size follow, not its hash
_SHORT = ("openclaw_cli.", "cryptography.")
_START = 16  # bytes before the code
_LIMIT = 64 * 1024  # bytes of byte code; for more than 128 KiB the system is asked for memory


class _Known(SourceFileLoader):
    """Loads byte code that was read already, once; a second time Python's own way."""

    def __init__(self, name: str, path: str, code: bytes) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType | None:
        """Return what the module runs."""
        read, self._code = self._code, b""
        if not read:
            return super().get_code(fullname)
        code: CodeType = loads(memoryview(read)[_START:])  # noqa: S302  as Python does
        return code


class _Beside:
    """Finds modules of ours, and those that hold the ciphers."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load a module or a package, or None when Python is to look for it."""
        if not path or not name.startswith(_SHORT):
            return None
        folder, own = path[0], name.rpartition(".")[2]
        return _spec(name, folder, own) or _spec(name, f"{folder}/{own}", "__init__")


def _spec(name: str, folder: str, file: str) -> ModuleSpec | None:
    source, cached = f"{folder}/{file}.py", f"{folder}/__pycache__/{file}{_ENDING}"
    try:
        fd = os.open(cached, os.O_RDONLY | os.O_CLOEXEC)
        try:
            code = os.read(fd, _LIMIT)
        finally:
            os.close(fd)
        now = os.stat(source)
    except OSError:
        return None
    stamp = (int(now.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little")
    stamp += (now.st_size & 0xFFFFFFFF).to_bytes(4, "little")
    if not code.startswith(_PREFIX + stamp) or len(code) == _LIMIT:
        return None
    spec = ModuleSpec(name, _Known(name, source, code), origin=source)
    spec.cached = cached
    spec.has_location = True
    if file == "__init__":
        spec.submodule_search_locations = [folder]
    return spec


def main() -> NoReturn:
    """Run `openclaw` with the arguments of the process, and end it."""
    _begin(sys.argv[1:])


def resolver() -> NoReturn:
    """Run `openclaw-resolver`: the exec protocol of the OpenClaw gateway on stdin and stdout."""
    _begin(["secrets", "resolve", *sys.argv[1:]])


def _begin(given: list[str]) -> NoReturn:
    if not (sys.flags.optimize or sys.pycache_prefix):  # else the byte code is elsewhere
        sys.meta_path.insert(0, _Beside)
    from openclaw_cli.cli import hot

    hot.end(given)


if __name__ == "__main__":
    main()
