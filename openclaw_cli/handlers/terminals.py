"""Programs that an ACP agent has us run: bounded output, ended with the instance."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress

OUTPUT = 1024 * 1024
"""Bytes of a program's output that are kept: the last ones."""

_PIECE = 16384


class Terminal:
    """One program that runs, or has run."""

    def __init__(self, process: Process, most: int) -> None:
        self._process = process
        self._most = most
        self._kept = bytearray()
        self.truncated = False
        self._reading = asyncio.ensure_future(self._read())

    @property
    def output(self) -> str:
        """What it has printed, as far as it is kept."""
        return self._kept.decode(errors="replace")

    @property
    def status(self) -> tuple[int | None, str | None] | None:
        """Its exit status, or the signal that ended it; None while it runs."""
        code = self._process.returncode
        if code is None:
            return None
        return (code, None) if code >= 0 else (None, f"signal {-code}")

    async def wait(self) -> tuple[int | None, str | None]:
        """Wait for its end."""
        await self._process.wait()
        await self._reading
        found = self.status
        return found or (None, None)

    def kill(self) -> None:
        """End it."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def _read(self) -> None:
        stream = self._process.stdout
        while stream is not None and (piece := await stream.read(_PIECE)):
            self._kept += piece
            if len(self._kept) > self._most:
                self.truncated = True
                del self._kept[: len(self._kept) - self._most]


class Terminals:
    """All of one instance, by their ids."""

    def __init__(self) -> None:
        self._known: dict[str, Terminal] = {}

    async def start(
        self,
        command: str,
        args: Sequence[str],
        environ: Mapping[str, str],
        directory: str | None,
        most: int | None,
    ) -> str:
        """Start a program; raises `OSError` when that cannot be."""
        process = await asyncio.create_subprocess_exec(
            command,
            *args,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env={**os.environ, **environ},
            cwd=directory,
        )
        name = f"terminal-{len(self._known) + 1}"
        self._known[name] = Terminal(process, min(most or OUTPUT, OUTPUT))
        return name

    def __getitem__(self, name: str) -> Terminal:
        """Return one; raises `KeyError`."""
        return self._known[name]

    def release(self, name: str) -> None:
        """End one and forget what it printed."""
        self._known[name].kill()

    def close(self) -> None:
        """End all."""
        for each in self._known.values():
            each.kill()
