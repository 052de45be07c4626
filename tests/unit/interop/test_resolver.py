"""The exec protocol: what the OpenClaw gateway asks and what it gets."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.errors import TemporaryError
from openclaw_cli.interop import resolver
from tests.conftest import Openclaw

EMPTY = dict.fromkeys(("HOME", "PATH", "LANG", "TERM", "TZ", "TMPDIR"))
Road = dict[str, str | None]
ROADS = pytest.mark.parametrize(
    "road", [EMPTY, EMPTY | {"OPENCLAW_NO_HOT": "1"}], ids=["fast road", "slow road"]
)


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


BAD_NAMES = [
    "a/../b",
    "./a",
    "constructor",
    "__proto__",
    "",
    "../x",
    "x" * 300,
    "a b",
    "\n",
    "\ud800",
]


@ROADS
def test_an_id_that_is_no_name_fails_alone(openclaw: Openclaw, road: Road) -> None:
    openclaw("secrets", "set", "key", input=b"v", check=0)
    request = {"protocolVersion": 1, "provider": "x", "ids": ["key", *BAD_NAMES, "key"]}
    done = openclaw(program="openclaw-resolver", input=json.dumps(request).encode(), env=road)
    assert (done.status, done.err) == (0, b"")
    assert done.json()["values"] == {"key": "v"}
    assert list(done.json()["errors"]) == BAD_NAMES
    assert all(each["code"] and each["message"] for each in done.json()["errors"].values())


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
        b'{"protocolVersion":1.0,"ids":[]}',
        b'{"protocolVersion":1}',
        b'{"protocolVersion":1,"ids":null}',
        b'{"protocolVersion":1,"ids":{"a":1}}',
        b'{"protocolVersion":1,"ids":[],"provider":1}',
        b'{"protocolVersion":1,"provider":"x","ids":["a',
        b'{"protocolVersion":1,"ids":["a"],"ids":["a"]}',
        b'{"protocolVersion":1,"ids":["a"]} {"protocolVersion":1,"ids":["a"]}',
        b'{"protocolVersion":1,"ids":["\xff"]}',
        b'{"protocolVersion":' + b"1" * 9000 + b',"ids":[]}',
        b'{"protocolVersion":1,"ids":' + b"[" * 100_000,
        b'{"protocolVersion":1,"ids":[],"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"protocolVersion":1,"ids":[],"more":' + b'{"a":' * 40_000 + b"1" + b"}" * 40_001,
        json.dumps({"protocolVersion": 1, "ids": [f"k{n}" for n in range(513)]}).encode(),
        b" " * 300_000,
    ],
    ids=lambda data: f"{data[:40]!r} {len(data)}",
)
@ROADS
def test_what_is_not_a_request_is_a_usage_mistake(
    openclaw: Openclaw, road: Road, request_: bytes
) -> None:
    done = openclaw(program="openclaw-resolver", input=request_, env=road)
    assert (done.status, done.out) == (2, b"")
    assert done.err.startswith(b"openclaw: ")
    assert b"Traceback" not in done.err


def test_a_request_is_read_to_its_end_even_when_it_is_far_too_long() -> None:
    program = os.path.join(sysconfig.get_path("scripts"), "openclaw-resolver")
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.communicate(b"x" * 5_000_000, timeout=30)
    assert process.returncode == 2


@pytest.mark.parametrize("trouble", ["settings", "state directory", "usage"])
def test_a_request_is_read_to_its_end_whatever_else_is_wrong(trouble: str) -> None:
    state = os.environ["OPENCLAW_STATE_DIR"]
    os.mkdir(state, 0o700)
    if trouble == "state directory":
        os.chmod(state, 0o770)  # noqa: S103
    with open(os.path.join(state, "settings.toml"), "w", encoding="utf-8") as file:
        file.write("nonsense" if trouble == "settings" else "")
    program = os.path.join(sysconfig.get_path("scripts"), "openclaw-resolver")
    line = [program, "--nonsense"] if trouble == "usage" else [program]
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"x" * 5_000_000)  # raises where nobody reads
    _, told = process.communicate(timeout=30)
    assert process.returncode in (2, 6)
    assert b"Traceback" not in told


@ROADS
@pytest.mark.parametrize("beginning", [b"", b'{"protocolVersion":1,"provider":"x","ids":["key"]}'])
def test_a_program_whose_input_never_ends_ends_all_the_same(road: Road, beginning: bytes) -> None:
    program = os.path.join(sysconfig.get_path("scripts"), "openclaw-resolver")
    environment = {name: value for name, value in (os.environ | road).items() if value is not None}
    began = time.monotonic()
    process = subprocess.Popen(
        [program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    assert process.stdin is not None
    process.stdin.write(beginning)
    process.stdin.flush()
    assert process.wait(timeout=30) == 75
    assert time.monotonic() - began < 10
    out, err = process.communicate()
    assert (out, err.startswith(b"openclaw: the request did not end in time")) == (b"", True)


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


def limited(**allow: list[str]) -> None:
    lines = [f"[resolvers.{name}]\nallow = {json.dumps(each)}" for name, each in allow.items()]
    path = os.path.join(os.environ["OPENCLAW_STATE_DIR"], "settings.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def test_a_resolver_hands_out_what_its_limit_in_the_settings_allows(openclaw: Openclaw) -> None:
    openclaw("secrets", "import", "--format", "json", "-", input=b'{"openai-a":"1","db":"2"}')
    limited(x=["openai-*"], y=["*"])
    for road in ({}, {"OPENCLAW_NO_HOT": "1"}):
        request = json.dumps({"protocolVersion": 1, "provider": "x", "ids": ["openai-a", "db"]})
        done = openclaw(program="openclaw-resolver", input=request.encode(), env=EMPTY | road)
        assert done.json()["values"] == {"openai-a": "1"}
        assert done.json()["errors"]["db"]["code"] == "DENIED"
    assert ask(openclaw, "db", provider="y")["values"] == {"db": "2"}


def test_another_name_is_no_way_round_a_limit(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "db", input=b"2", check=0)
    limited(x=["openai-*"])
    answer = ask(openclaw, "db", "local://db", provider="z")
    assert (answer["values"], len(answer["errors"])) == ({}, 2)


def test_the_command_line_narrows_and_never_widens(openclaw: Openclaw) -> None:
    openclaw("secrets", "import", "--format", "json", "-", input=b'{"a":"1","b":"2","c":"3"}')
    limited(x=["a", "b"])
    request = b'{"protocolVersion":1,"provider":"x","ids":["a","b","c"]}'
    for road in ({}, {"OPENCLAW_NO_HOT": "1"}):
        done = openclaw(
            "--allow", "b", "--allow=c", program="openclaw-resolver", input=request, env=road
        )
        assert done.json()["values"] == {"b": "2"}


def test_a_denial_is_recorded_with_the_gateways_process_as_the_one_who_asked(
    openclaw: Openclaw,
) -> None:
    openclaw("secrets", "set", "db", input=b"2", check=0)
    limited(x=["openai-*"])
    ask(openclaw, "db")
    trail = os.path.join(os.environ["OPENCLAW_STATE_DIR"], "audit", "trail.jsonl")
    with open(trail, encoding="utf-8") as file:
        last = json.loads(file.readlines()[-1])
    assert (last["name"], last["outcome"], last["purpose"]) == ("db", "denied", "resolve")
    assert last["actor"] | {"program": ""} == last["actor"] | {
        "pid": os.getpid(),
        "via": "gateway",
        "provider": "x",
        "program": "",
    }


def test_a_limit_comes_from_our_own_file_alone_and_is_checked(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "db", input=b"2", check=0)
    state = os.environ["OPENCLAW_STATE_DIR"]
    with open(os.path.join(state, "openclaw.json"), "w", encoding="utf-8") as file:
        file.write('{"resolvers": {"x": {"allow": []}}}')
    assert ask(openclaw, "db")["values"] == {"db": "2"}
    for wrong in ('allow = "a"', "allow = [1]", 'allow = ["a"]\nmore = 1'):
        with open(os.path.join(state, "settings.toml"), "w", encoding="utf-8") as file:
            file.write(f"[resolvers.x]\n{wrong}\n")
        request = b'{"protocolVersion":1,"ids":[]}'
        done = openclaw(program="openclaw-resolver", input=request, env=EMPTY, check=78)
        assert b"resolvers.x is not a limit of a resolver" in done.err


def test_a_limit_opens_no_field_but_the_one_that_a_name_leads_to(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    file = tmp_path / "all.json"
    file.write_text('{"user":"u","password":"p"}')
    openclaw("secrets", "set", "local", input=b'{"user":"v"}', check=0)
    limited(x=["db", "all#user", "local"])
    with open(
        os.path.join(os.environ["OPENCLAW_STATE_DIR"], "openclaw.json"), "w", encoding="utf-8"
    ) as config:
        table = {"db": f"file://{file}#user", "all": f"file://{file}"}
        json.dump({"secrets": table}, config)
    asked = ("db", "db#password", "all#user", "all#password", "all", "local#user")
    answer = ask(openclaw, *asked)
    assert answer["values"] == {"db": "u", "all#user": "u", "local#user": "v"}
    assert {each["code"] for each in answer["errors"].values()} == {"DENIED"}


def test_a_limit_hands_out_no_version_that_was_replaced(openclaw: Openclaw) -> None:
    for value in (b"1", b"2"):
        openclaw("secrets", "set", "db", input=value, check=0)
    assert ask(openclaw, "db?version=1")["values"] == {"db?version=1": "1"}
    limited(x=["*"])
    answer = ask(openclaw, "db?version=1", "db")
    assert (answer["values"], answer["errors"]["db?version=1"]["code"]) == ({"db": "2"}, "DENIED")
    request = b'{"protocolVersion":1,"provider":"x","ids":["db","db?version=1"]}'
    done = openclaw("--previous", program="openclaw-resolver", input=request, check=0)
    assert done.json()["values"] == {"db": "1"}


@given(st.text("ab*", max_size=6), st.text("ab", max_size=6))
def test_a_pattern_means_what_the_shell_means_by_it(pattern: str, name: str) -> None:
    assert resolver.fits(name, pattern) == fnmatchcase(name, pattern)


def test_a_request_that_comes_late_leaves_less_time_for_backends() -> None:
    assert resolver.Request("x", [], 100.0).until(100.0) == pytest.approx(102.5)
    assert resolver.Request("x", [], 98.0).until(100.0) == pytest.approx(101.0)
    assert resolver.Request("x", [], 91.0).until(100.0) == pytest.approx(100.2)


def test_the_time_to_start_counts_as_well() -> None:
    reading, writing = os.pipe()
    os.write(writing, b'{"protocolVersion":1,"ids":[]}')
    os.close(writing)
    request = resolver.read_request(reading, running=2.0)
    os.close(reading)
    assert time.monotonic() - request.began >= 2.0
