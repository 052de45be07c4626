"""What is scanned may be anybody's: it can neither hold a scan up, nor hide in it, nor end it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_cli.interop import auth_store
from openclaw_cli.interop.scan import structured
from tests.conftest import Result

Main = Callable[..., Result]

KEY = b"sk-proj-Xq3yVtG8mWbD2nKfLrTz"
ENDLESS = """
CREATE VIEW auth_profile_store AS
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)
SELECT 'primary' AS store_key, x AS store_json, 0 AS updated_at FROM c WHERE x < 0
"""
HUGE = """
CREATE TABLE auth_profile_store (
    store_key, updated_at,
    store_json AS (hex(zeroblob(200000000)))
)
"""


def database(path: Path, schema: str, text: str = "") -> str:
    with sqlite3.connect(path) as store:
        store.execute(schema)
        if "VIEW" not in schema:
            row = ("primary", 0, text) if text else ("primary", 0)
            places = ", ".join("?" for _ in row)
            names = "store_key, updated_at, store_json" if text else "store_key, updated_at"
            store.execute(f"INSERT INTO auth_profile_store ({names}) VALUES ({places})", row)  # noqa: S608
    store.close()
    return str(path)


@pytest.mark.parametrize("schema", [ENDLESS, HUGE], ids=["endless", "huge"])
def test_a_databases_own_schema_is_not_carried_out(tmp_path: Path, schema: str) -> None:
    path = database(tmp_path / "x.sqlite", schema)
    assert list(auth_store.rows(path)) == []


def test_a_row_that_is_no_json_does_not_end_the_scan(tmp_path: Path, main: Main) -> None:
    plain = "CREATE TABLE auth_profile_store (store_key, updated_at, store_json)"
    database(tmp_path / "a.sqlite", plain, "not json")
    database(tmp_path / "b.sqlite", plain, "[" * 100_000)
    (tmp_path / "z.txt").write_bytes(b"key = " + KEY)
    done = main("secrets", "scan", str(tmp_path), check=10)
    assert b"z.txt" in done.out + done.err


def test_quotes_that_nothing_ends_cost_no_square_of_their_number() -> None:
    def cost(lines: int) -> float:
        data = b"A='\n" * lines
        began = time.process_time()
        structured.spans(".env", data)
        return time.process_time() - began

    assert cost(100_000) < 8 * cost(25_000)  # sixteen times, when each looks to the end


def test_a_credential_is_found_wherever_it_stands_in_a_long_file() -> None:
    line = b"SOME_PASSWORD=hunter2\n"
    for before in (0, 16 * 1024 - 10, 16 * 1024 - 1, 16 * 1024, 50_000):
        data = b"#" * before + b"\n" + line + b"B=1\n" * 9000
        found = [data[each.start : each.end] for each in structured.spans("x.env", data)]
        assert found == [b"hunter2"], before


def git(*arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@y")
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


@pytest.mark.parametrize("name", ["0:x", "2:x", "two\nlines", " ", "-x", "a\tb"])
def test_no_name_hides_what_is_staged(
    name: str, tmp_path: Path, main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    git("init", "-q")
    (work / name).write_bytes(b"key = " + KEY + b"\n")
    git("add", "--", f"./{name}")
    assert len(main("secrets", "scan", "--staged", "--json", check=10).json()["findings"]) == 1


def test_a_git_that_lies_in_the_repository_is_not_run(
    tmp_path: Path, main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    git("init", "-q")
    (work / "git").write_text(f"#!/bin/sh\ntouch {tmp_path}/was-run\n")
    (work / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f":.:{os.environ['PATH']}")
    main("secrets", "scan", ".", check=0)
    assert not (tmp_path / "was-run").exists()
