"""The exec protocol: what the OpenClaw gateway asks and what it gets."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import time
from typing import Any

import pytest

from openclaw_cli.errors import TemporaryError
from openclaw_cli.interop import resolver
from tests.conftest import Openclaw

EMPTY = dict.fromkeys(("HOME", "PATH", "LANG", "TERM", "TZ", "TMPDIR"))


def ask(openclaw: Openclaw, *ids: str, **changed: Any) -> Any:  # noqa: ANN401
    request = {"protocolVersion": 1, "provider": "x", "ids": list(ids), **changed}
    data = json.dumps(request).encode()
    done = openclaw(program="openclaw-resolver", input=data, env=EMPTY, check=0)
    assert done.err == b""
    return done.json()


def test_values_and_failures_come_in_one_answer(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "providers/openai/apiKey", input=b"sk-\xc3\xa4", check=0)
    answer = ask(openclaw, "providers/openai/apiKey", "nothing")
    assert answer["protocolVersion"] == 1
    assert answer["values"] == {"providers/openai/apiKey": "sk-ä"}
    assert answer["errors"]["nothing"]["code"] == "NOT_FOUND"


def test_errors_are_left_out_when_there_are_none(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "key", input=b"v", check=0)
    assert set(ask(openclaw, "key")) == {"protocolVersion", "values"}


@pytest.mark.parametrize("name", ["a/../b", "constructor", "", "../x", "x" * 300, "a b", "\n"])
def test_an_id_that_is_no_name_fails_alone(openclaw: Openclaw, name: str) -> None:
    openclaw("secrets", "set", "key", input=b"v", check=0)
    answer = ask(openclaw, "key", name)
    assert answer["values"] == {"key": "v"}
    assert list(answer["errors"]) == [name]


def test_a_field_of_a_json_value_is_an_id_too(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "db", input=b'{"user":"u","port":1}', check=0)
    answer = ask(openclaw, "db#user", "db#port", "db#none")
    assert answer["values"] == {"db#user": "u"}
    assert sorted(answer["errors"]) == ["db#none", "db#port"]


def test_what_is_not_text_and_what_is_too_much_fail_alone(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "binary", input=b"\xff\xfe", check=0)
    names = [f"large-{number}" for number in range(16)]
    for name in names:
        openclaw("secrets", "set", name, input=b"x" * 65536, check=0)
    answer = ask(openclaw, "binary", *names)
    assert answer["errors"]["binary"]["code"] == "NOT_TEXT"
    assert answer["errors"][names[-1]]["code"] == "TOO_LARGE"
    assert len(answer["values"]) == 14


def test_a_locked_store_is_an_error_for_each_id(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "key", input=b"v", check=0)
    os.unlink(os.path.join(os.environ["OPENCLAW_STATE_DIR"], "secrets", "key"))
    answer = ask(openclaw, "key", "other")
    assert {each["code"] for each in answer["errors"].values()} == {"LOCKED"}


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"{",
        b"[]",
        b'{"protocolVersion":2,"ids":[]}',
        b'{"protocolVersion":true,"ids":[]}',
        b'{"protocolVersion":1,"ids":"key"}',
        b'{"protocolVersion":1,"ids":[1]}',
        b'{"protocolVersion":1,"protocolVersion":1,"ids":[]}',
        b'{"protocolVersion":1,"ids":' + b"[" * 100_000,
        json.dumps({"protocolVersion": 1, "ids": [f"k{n}" for n in range(513)]}).encode(),
        b" " * 300_000,
    ],
    ids=lambda data: repr(data[:40]),
)
def test_what_is_not_a_request_is_a_usage_mistake(openclaw: Openclaw, request_: bytes) -> None:
    done = openclaw(program="openclaw-resolver", input=request_, env=EMPTY)
    assert (done.status, done.out) == (2, b"")
    assert done.err.startswith(b"openclaw: ")


def test_a_request_is_read_to_its_end_even_when_it_is_far_too_long() -> None:
    program = os.path.join(sysconfig.get_path("scripts"), "openclaw-resolver")
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.communicate(b"x" * 5_000_000, timeout=30)
    assert process.returncode == 2


def test_a_request_that_never_ends_is_given_up() -> None:
    reading, writing = os.pipe()
    began = time.monotonic()
    with pytest.raises(TemporaryError, match="did not end"):
        resolver.read_request(reading, seconds=0.2)
    assert time.monotonic() - began < 2
    os.close(writing)
    os.close(reading)


def test_five_hundred_and_twelve_ids_are_one_batch(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "key", input=b"v", check=0)
    ids = ["key", *(f"k{number}" for number in range(511))]
    answer = ask(openclaw, *ids)
    assert (len(answer["values"]), len(answer["errors"])) == (1, 511)
