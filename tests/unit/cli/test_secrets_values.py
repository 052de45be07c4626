"""`openclaw secrets` create, set, get, delete, restore, rollback, through the front door."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Result

Main = Callable[..., Result]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"plain", b"plain"),
        (b"one newline goes\n", b"one newline goes"),
        (b"only one\n\n", b"only one\n"),
        (b"\0\xff\xfe binary", b"\0\xff\xfe binary"),
        ("pä$$wörd`id`$(id)".encode(), "pä$$wörd`id`$(id)".encode()),
    ],
)
def test_a_piped_value_comes_back_exactly(main: Main, given: bytes, kept: bytes) -> None:
    main("secrets", "create", "key", input=given, check=0)
    assert main("secrets", "get", "key", check=0).out == kept


def test_verbatim_keeps_the_last_newline(main: Main) -> None:
    main("secrets", "set", "key", "--verbatim", input=b"pem\n", check=0)
    assert main("secrets", "get", "key").out == b"pem\n"


def test_a_file_is_kept_byte_for_byte(main: Main, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(b"-----BEGIN-----\nx\n-----END-----\n")
    main("secrets", "create", "tls", "--value-file", str(tmp_path / "key.pem"), check=0)
    assert main("secrets", "get", "tls").out == (tmp_path / "key.pem").read_bytes()


def test_an_empty_pipe_is_not_a_value(main: Main) -> None:
    done = main("secrets", "create", "key", input=b"", check=2)
    assert b"empty" in done.err


def test_two_sources_of_a_value_are_refused(main: Main) -> None:
    done = main("secrets", "create", "key", "--value", "a", "--generate", check=2)
    assert b"give one of" in done.err


def test_a_bare_generate_does_not_swallow_the_name(main: Main) -> None:
    main("secrets", "create", "--generate", "token", check=0)
    assert len(main("secrets", "get", "token", check=0).out) == 24


def test_the_example_of_the_help_works(main: Main) -> None:
    main("secrets", "create", "db-password", "--generate", "password:32", check=0)
    assert len(main("secrets", "get", "db-password", check=0).out) == 32


def test_a_generated_value_says_its_entropy_and_not_itself(main: Main) -> None:
    done = main("secrets", "create", "key", "--generate", check=0)
    assert b"144 bits" in done.err
    assert main("secrets", "get", "key").out not in done.err + done.out


@pytest.mark.parametrize("name", ["../x", "a//b", "", "-x", "a b", "constructor", "x" * 257, "é"])
def test_a_bad_name_is_refused_with_status_2(main: Main, name: str) -> None:
    assert main("secrets", "set", "--name", name, input=b"v").status == 2


def test_a_taken_name_is_a_conflict_that_says_what_to_do(main: Main) -> None:
    main("secrets", "create", "key", input=b"1", check=0)
    done = main("secrets", "create", "key", input=b"2", check=11)
    assert b"hint: openclaw secrets set key" in done.err
    assert main("secrets", "get", "key").out == b"1"


def test_json_says_the_version(main: Main) -> None:
    done = main("secrets", "set", "key", "--json", input=b"v", check=0)
    assert done.json() == {
        "schema": 1,
        "name": "key",
        "backend": "local",
        "version": "1",
        "origin": "set",
    }
    assert done.err == b""


def test_an_error_in_json_has_code_kind_message_and_hint(main: Main) -> None:
    done = main("secrets", "get", "key", "--json", check=3)
    error = json.loads(done.err)["error"]
    assert (error["code"], error["kind"]) == (3, "not_found")
    assert error["hint"] == "openclaw secrets create key"


def test_a_value_that_is_not_text_is_base64_in_json(main: Main) -> None:
    main("secrets", "set", "key", input=b"\xff", check=0)
    assert main("secrets", "get", "key", "--json").json()["base64"] == "/w=="


def test_delete_and_restore_say_what_they_did(main: Main) -> None:
    main("secrets", "set", "key", input=b"v", check=0)
    assert b"restore key brings it back" in main("secrets", "delete", "key", check=0).err
    assert b"nothing was deleted" in main("secrets", "delete", "other", check=0).err
    main("secrets", "get", "key", check=3)
    main("secrets", "restore", "key", check=0)
    assert main("secrets", "get", "key").out == b"v"


def test_purging_needs_a_yes(main: Main) -> None:
    main("secrets", "set", "key", input=b"v", check=0)
    done = main("secrets", "delete", "key", "--purge", check=2)
    assert b"--yes" in done.err
    main("secrets", "delete", "key", "--purge", "--yes", check=0)
    main("secrets", "restore", "key", check=3)


def test_rollback_brings_the_value_before_back(main: Main) -> None:
    for text in (b"one", b"two"):
        main("secrets", "set", "key", input=text, check=0)
    main("secrets", "rollback", "key", check=0)
    assert main("secrets", "get", "key").out == b"one"


def test_an_unknown_option_and_an_unknown_command_are_usage_mistakes(main: Main) -> None:
    assert b"did you mean create" in main("secrets", "creat", check=2).err
    assert b"--wide" in main("secrets", "list", "--wide", check=2).err


def test_a_label_is_kept_and_a_malformed_one_refused(main: Main) -> None:
    main("secrets", "create", "key", "--label", "team=a", input=b"v", check=0)
    assert main("secrets", "list", "--json").json()["secrets"][0]["labels"] == {"team": "a"}
    main("secrets", "create", "k2", "--label", "team", input=b"v", check=2)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("get a", "openclaw secrets get"),
        ("secrets rm a", "did you mean delete?"),
        ("secrets get a --version 7", "NAME?version=7"),
    ],
)
def test_what_people_try_first_is_answered_with_what_to_type(
    main: Main, line: str, hint: str
) -> None:
    assert hint in main(*line.split(), check=2).err.decode()


@pytest.mark.parametrize("line", ["-h", "help", "secrets -h", "help secrets", "secrets get -h"])
def test_help_is_had_by_the_usual_words(main: Main, line: str) -> None:
    assert main(*line.split(), check=0).out.startswith(b"Usage: openclaw")


@pytest.mark.parametrize("line", ["version", "-V", "--version"])
def test_the_version_is_had_by_the_usual_words(main: Main, line: str) -> None:
    assert main(line, check=0).out.startswith(b"openclaw-cli ")
