"""The backends that need no server keep the contract."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from openclaw_cli.backends.env import EnvBackend
from openclaw_cli.backends.exec import ExecBackend
from openclaw_cli.backends.file import FileBackend
from openclaw_cli.backends.protocols import Readable
from openclaw_cli.errors import RefusedError
from openclaw_cli.testing.backends import (
    BINARIES,
    STRANGE_PATHS,
    TEXTS,
    BatchedContract,
    CheckableContract,
    DeletableContract,
    Keep,
    ListableContract,
)

RESOLVER = """#!{python} -IS
import json, sys
request = json.load(sys.stdin)
kept = json.load(open("kept.json"))
wanted = [each for each in request["ids"] if each in kept]
absent = [each for each in request["ids"] if each not in kept]
json.dump({{
    "protocolVersion": 1,
    "values": {{each: kept[each] for each in wanted}},
    "errors": {{each: {{"code": "NOT_FOUND", "message": "no"}} for each in absent}},
}}, sys.stdout)
"""
PRINTER = """#!/bin/sh
exec cat "kept/$(printf %s "$1" | tr / _)"
"""


class TestEnv(BatchedContract, ListableContract, CheckableContract):
    values = (*TEXTS, b"\xff\xfe not UTF-8")  # all but NUL, which ends a variable

    @pytest.fixture
    def backend(self) -> EnvBackend:
        return EnvBackend({"prefix": "KEPT_"})

    @pytest.fixture
    def keep(self, monkeypatch: pytest.MonkeyPatch) -> Keep:
        return lambda path, value: monkeypatch.setenv(f"KEPT_{path}", os.fsdecode(value))


class TestFile(BatchedContract, DeletableContract, ListableContract, CheckableContract):
    strange = tuple(path for path in STRANGE_PATHS if path != "/team/escaped")

    @pytest.fixture
    def backend(self, tmp_path: Path) -> FileBackend:
        return FileBackend({"root": str(tmp_path / "kept")})

    @pytest.fixture
    def keep(self, tmp_path: Path) -> Keep:
        def write(path: str, value: bytes) -> None:
            file = tmp_path / "kept" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(value + b"\n")

        (tmp_path / "kept").mkdir()
        return write


class TestExec(BatchedContract, CheckableContract):
    values = TEXTS  # JSON holds text

    @pytest.fixture
    def backend(self, tmp_path: Path) -> ExecBackend:
        program = tmp_path / "resolver"
        program.write_text(RESOLVER.format(python=sys.executable))
        program.chmod(0o700)
        (tmp_path / "kept.json").write_text("{}")
        return ExecBackend({"command": str(program)})

    @pytest.fixture
    def keep(self, tmp_path: Path) -> Keep:
        kept: dict[str, str] = {}

        def write(path: str, value: bytes) -> None:
            kept[path] = value.decode()
            (tmp_path / "kept.json").write_text(json.dumps(kept))

        return write


class TestExecRaw(CheckableContract):
    values = TEXTS + BINARIES

    @pytest.fixture
    def backend(self, tmp_path: Path) -> ExecBackend:
        program = tmp_path / "printer"
        program.write_text(PRINTER)
        program.chmod(0o700)
        (tmp_path / "kept").mkdir()
        return ExecBackend({"command": str(program), "format": "raw"})

    @pytest.fixture
    def keep(self, tmp_path: Path) -> Keep:
        def write(path: str, value: bytes) -> None:
            (tmp_path / "kept" / path.replace("/", "_")).write_bytes(value + b"\n")

        return write

    def test_what_is_not_there_is_not_found(self, backend: Readable, keep: Keep) -> None:
        """A status says that it failed, but not why: so it is refused."""
        keep(self.paths[0], self.values[0])
        with pytest.raises(RefusedError, match="status 1, and wrote to standard error"):
            backend.get(self.paths[1])
