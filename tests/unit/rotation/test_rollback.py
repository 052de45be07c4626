"""Going back to a version that its service does not accept any more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Result

Main = Callable[..., Result]

ACCEPTS_ALL = "#!/bin/sh\ncat > /dev/null\n"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    found = tmp_path / "rotate-acme"
    found.write_text(ACCEPTS_ALL)
    found.chmod(0o700)
    return found


def rotated(main: Main, program: Path, *more: str) -> None:
    main("secrets", "create", "k", input=b"first", check=0)
    line = ("--with", "command", "--setting", f"command={program}", "--setting", "kind=token:hex")
    main("secrets", "rotate", "k", *line, *more, check=0)


def test_a_revoked_version_is_named_and_not_taken_without_yes(main: Main, program: Path) -> None:
    rotated(main, program, "--grace", "0")
    refused = main("secrets", "rollback", "k", "--to", "1", check=2)
    said = refused.err.decode()
    assert "version 1 of k was revoked: its service does not accept it since 20" in said
    assert "openclaw secrets rotate k makes a new value; add --yes" in said
    assert main("secrets", "get", "k").out != b"first"
    done = main("--yes", "secrets", "rollback", "k", "--to", "1", check=0)
    assert b"was revoked" in done.err
    assert main("secrets", "get", "k").out == b"first"


def test_where_there_is_one_value_at_a_time_the_one_before_is_revoked(
    main: Main, program: Path
) -> None:
    rotated(main, program, "--setting", "overlap=no")
    assert b"version 1 of k was revoked" in main("secrets", "rollback", "k", "--to", "1").err


def test_a_version_that_is_accepted_still_is_taken_without_a_word(
    main: Main, program: Path
) -> None:
    rotated(main, program, "--grace", "2h", "--setting", "overlap=yes")
    done = main("secrets", "rollback", "k", check=0)
    assert b"revoked" not in done.err
    assert main("secrets", "get", "k").out == b"first"


def test_a_value_that_no_service_knows_is_never_revoked(main: Main) -> None:
    main("secrets", "create", "k", "--generate", check=0)
    first = main("secrets", "get", "k").out
    for _ in range(3):
        main("secrets", "rotate", "k", check=0)
    assert b"revoked" not in main("secrets", "rollback", "k", "--to", "1", check=0).err
    assert main("secrets", "get", "k").out == first
