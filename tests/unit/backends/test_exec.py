"""Programs of others: which ones are run, with what, and that none can hold us up."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openclaw_cli.backends.exec import MOST_IDS, ExecBackend
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.model import Secret
from tests.conftest import SCRIPTS, Openclaw

CANARY = "sk-canary-7f3a"
ANSWER = '{"protocolVersion":1,"values":{"key":"sk-canary-7f3a"}}'
PATIENCE = 8.0  # seconds that a busy machine may take over a limit of one

Program = Callable[..., ExecBackend]


@pytest.fixture
def shell(tmp_path: Path) -> Program:
    """Return what makes a backend of a shell script."""

    def made(script: str, mode: int = 0o700, **settings: Any) -> ExecBackend:  # noqa: ANN401
        file = tmp_path / "program"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(mode)
        return ExecBackend({"command": str(file), **settings})

    return made


@pytest.fixture
def python(tmp_path: Path) -> Program:
    """Return what makes a backend of a Python script that was given `ids`."""

    def made(script: str, **settings: Any) -> ExecBackend:  # noqa: ANN401
        file = tmp_path / "program.py"
        start = "import json, os, sys\nrequest = json.load(sys.stdin)\nids = request['ids']\n"
        file.write_text(f"#!{sys.executable} -IS\n{start}{script}\n")
        file.chmod(0o700)
        return ExecBackend({"command": str(file), **settings})

    return made


def refusal(backend: ExecBackend, path: str = "key") -> OpenclawError:
    """Return the error of an asking; it tells nothing of a value."""
    with pytest.raises(OpenclawError) as refused:
        backend.get(path)
    assert CANARY not in refused.value.message + refused.value.hint
    assert refused.value.__cause__ is None
    return refused.value


def answering(answer: object) -> str:
    return (
        f"cat >/dev/null; printf %s '{answer if isinstance(answer, str) else json.dumps(answer)}'"
    )


class TestProtocol:
    def test_the_request_is_the_gateway_s(self, shell: Program, tmp_path: Path) -> None:
        shell(f"cat >request; printf %s '{ANSWER}'").get_many(["key", "team/db"])
        assert (tmp_path / "request").read_bytes() == (
            b'{"protocolVersion":1,"provider":"openclaw","ids":["key","team/db"]}'
        )

    def test_many_are_asked_for_in_one_process(self, python: Program, tmp_path: Path) -> None:
        backend = python(
            "open('starts', 'a').write('x')\n"
            "json.dump({'protocolVersion': 1, 'values': {i: i for i in ids}}, sys.stdout)"
        )
        names = [f"name-{number:03}-{'x' * 240}" for number in range(MOST_IDS)]
        found = backend.get_many(names)
        assert all(isinstance(found[name], Secret) for name in names)
        assert (tmp_path / "starts").read_text() == "x"
        assert len(backend.get_many([*names, "one-more"])) == MOST_IDS + 1
        assert (tmp_path / "starts").read_text() == "xxx"

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("NOT_FOUND", NotFoundError),
            ("DENIED", DeniedError),
            ("TEMPORARY", TemporaryError),
            ("AMBIGUOUS_DUPLICATE_KEY", RefusedError),
            (CANARY, RefusedError),
            (None, RefusedError),
            (["NOT_FOUND"], RefusedError),
        ],
    )
    def test_its_codes_are_ours_and_its_words_are_not_shown(
        self, shell: Program, code: object, kind: type[OpenclawError]
    ) -> None:
        error = {"code": code, "message": CANARY}
        backend = shell(answering({"protocolVersion": 1, "values": {}, "errors": {"key": error}}))
        assert type(refusal(backend)) is kind

    def test_one_that_fails_does_not_spoil_the_others(self, shell: Program) -> None:
        answer = {"protocolVersion": 1, "values": {"a": "1", "b": 2}, "errors": {"c": "no"}}
        found = shell(answering(answer)).get_many(["a", "b", "c", "d", "../e"])
        kinds = {path: type(each) for path, each in found.items()}
        assert kinds == {
            "a": Secret,
            "b": RefusedError,
            "c": RefusedError,
            "d": RefusedError,
            "../e": UsageError,
        }

    @pytest.mark.parametrize(
        "answer",
        [
            CANARY,
            "",
            "[]",
            "null",
            "[" * 100_000,
            '{"values":{"key":"sk-canary-7f3a"}}',
            '{"protocolVersion":"1","values":{"key":"sk-canary-7f3a"}}',
            '{"protocolVersion":true,"values":{"key":"sk-canary-7f3a"}}',
            '{"protocolVersion":2,"values":{"key":"sk-canary-7f3a"}}',
            '{"protocolVersion":1,"values":["sk-canary-7f3a"]}',
            '{"protocolVersion":1,"values":{},"errors":[]}',
            '{"protocolVersion":1,"values":{"key":""}}',
            '{"protocolVersion":1,"values":{"key":null}}',
            '{"protocolVersion":1,"values":{"key":["sk-canary-7f3a"]}}',
            '{"protocolVersion":1,"values":{"key":"\\ud800"}}',
            '{"protocolVersion":1,"values":{"KEY":"sk-canary-7f3a"}}',
            f"a log line\\n{ANSWER}",
            f"{ANSWER}{ANSWER}",
        ],
    )
    def test_an_answer_that_is_none_is_refused(self, shell: Program, answer: str) -> None:
        assert type(refusal(shell(answering(answer)))) is RefusedError

    def test_a_value_of_more_than_64_kib_is_refused(self, python: Program) -> None:
        backend = python(
            "json.dump({'protocolVersion': 1, 'values': {'key': 'x' * 65537}}, sys.stdout)"
        )
        assert "more than 64 KiB" in refusal(backend).message

    def test_a_name_that_the_protocol_has_no_room_for_is_not_asked_for(
        self, shell: Program, tmp_path: Path
    ) -> None:
        backend = shell(f"touch started; printf %s '{ANSWER}'")
        for path in ("-option", "a b", "$(id)", "a\nb", "é", "x" * 257, "a/../b", "%2e"):
            with pytest.raises(UsageError):
                backend.get(path)
        assert not (tmp_path / "started").exists()

    def test_our_own_resolver_answers(self, openclaw: Openclaw, tmp_path: Path) -> None:
        for name, value in {"openai/main": b"sk-1", "text": "grüße\n".encode()}.items():
            openclaw("secrets", "set", name, "--verbatim", input=value, check=0)
        backend = ExecBackend(
            {
                "command": os.path.join(SCRIPTS, "openclaw-resolver"),
                "env": f"OPENCLAW_STATE_DIR={tmp_path / 'state'}",
            }
        )
        found = backend.get_many(["openai/main", "text", "absent"])
        kinds = [type(each) for each in found.values()]
        assert kinds == [Secret, Secret, NotFoundError]
        assert backend.get("text").value.reveal() == "grüße\n".encode()


class TestRaw:
    def test_a_program_prints_the_value_of_its_last_argument(self, shell: Program) -> None:
        backend = shell('printf "%s:%s:%s\n" "$#" "$1" "$2"', format="raw", args="'a b'")
        assert backend.get("team/db").value.reveal() == b"2:a b:team/db"

    def test_one_newline_is_stripped_and_every_other_byte_stays(self, shell: Program) -> None:
        backend = shell(r'printf "\000\377\r\n\n"', format="raw")
        assert backend.get("key").value.reveal() == b"\x00\xff\r\n"

    def test_nothing_printed_is_refused(self, shell: Program) -> None:
        assert type(refusal(shell("echo", format="raw"))) is RefusedError

    def test_many_are_asked_for_at_once(self, shell: Program) -> None:
        backend = shell('sleep 0.5; printf %s "$1"', format="raw")
        began = time.monotonic()
        found = backend.get_many([f"key{number}" for number in range(8)])
        assert all(isinstance(each, Secret) for each in found.values())
        assert time.monotonic() - began < 3


class TestSurroundings:
    def test_it_sees_only_the_variables_that_the_settings_name(
        self, python: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CORP_TOKEN", CANARY)
        monkeypatch.setenv("PASSED", "yes")
        script = (
            "seen = ' '.join(sorted(f'{name}={text}' for name, text in os.environ.items()))\n"
            "json.dump({'protocolVersion': 1, 'values': {'key': seen}}, sys.stdout)"
        )
        backend = python(script, **{"pass-env": "PASSED ABSENT", "env": "A=1 'B=two words' C="})
        seen = backend.get("key").value.reveal().decode()
        seen = seen.replace(" LC_CTYPE=C.UTF-8", "")  # what Python itself puts there
        assert seen == "A=1 B=two words C= PASSED=yes"

    def test_its_directory_is_its_own_and_its_arguments_are_not_for_a_shell(
        self, python: Program, tmp_path: Path
    ) -> None:
        backend = python(
            "seen = json.dumps([os.getcwd(), sys.argv[1:], os.getsid(0) == os.getpid(), "
            "sorted(os.listdir('/proc/self/fd'))[:4]])\n"
            "json.dump({'protocolVersion': 1, 'values': {'key': seen}}, sys.stdout)",
            args="\"$(touch x)\" *.py ';rm -rf .'",
        )
        seen = json.loads(backend.get("key").value.reveal())
        # 3 is the listing's own
        assert seen == [str(tmp_path), ["$(touch x)", "*.py", ";rm -rf ."], True, list("0123")]

    def test_no_descriptor_is_left_open(self, shell: Program) -> None:
        good, slow = shell(answering(ANSWER)), None
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            good.get("key")
        slow = shell("sleep 60", timeout=0.2)
        refusal(slow)
        refusal(shell("exit 1"))
        assert len(os.listdir("/proc/self/fd")) == before

    @pytest.mark.parametrize(
        "name", ["LD_PRELOAD", "PYTHONPATH", "NODE_OPTIONS", "BASH_ENV", "ENV", "DYLD_X", "GIT_DIR"]
    )
    def test_a_variable_that_chooses_code_is_not_passed_on(self, shell: Program, name: str) -> None:
        with pytest.raises(ConfigError, match=name):
            shell("", **{"pass-env": name})
        shell("", env=f"{name}=x")

    def test_settings_that_cannot_be_read_are_refused_without_showing_them(
        self, shell: Program
    ) -> None:
        for bad in (
            {"env": CANARY},
            {"env": f"'{CANARY}"},
            {"env": f"1={CANARY}"},
            {"args": f"'{CANARY}"},
            {"pass-env": f"A={CANARY}"},
            {"format": CANARY},
        ):
            with pytest.raises(ConfigError) as refused:
                shell("", **bad)
            assert CANARY not in refused.value.message + refused.value.hint


class TestWhoseItIs:
    @pytest.mark.parametrize("command", ["", "op", "./op", "/usr/bin/../bin/env", "/usr//bin/env"])
    def test_only_an_absolute_path_is_a_program(self, command: str) -> None:
        with pytest.raises(ConfigError):
            ExecBackend({"command": command})

    @pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
    def test_a_program_that_others_can_write_to_is_not_run(
        self, shell: Program, tmp_path: Path, mode: int
    ) -> None:
        backend = shell(f"touch started; printf %s '{ANSWER}'", mode)
        refused = refusal(backend)
        assert type(refused) is DeniedError
        assert refused.hint == f"chmod go-w {tmp_path}/program"
        assert not (tmp_path / "started").exists()
        assert backend.check().problems == ((refused.message, refused.hint),)

    def test_a_program_in_a_directory_that_others_can_write_to_is_not_run(
        self, shell: Program, tmp_path: Path
    ) -> None:
        backend = shell(answering(ANSWER))
        tmp_path.chmod(0o777)
        assert type(refusal(backend)) is DeniedError
        tmp_path.chmod(0o755)
        assert backend.get("key").value.reveal() == CANARY.encode()

    def test_a_link_is_not_run_and_the_hint_names_the_program(
        self, shell: Program, tmp_path: Path
    ) -> None:
        shell(answering(ANSWER))
        (tmp_path / "link").symlink_to("program")
        refused = refusal(ExecBackend({"command": str(tmp_path / "link")}))
        assert type(refused) is DeniedError
        assert refused.hint.endswith(f'command = "{tmp_path}/program"')

    def test_what_is_no_program_is_a_wrong_setting(self, shell: Program, tmp_path: Path) -> None:
        assert type(refusal(ExecBackend({"command": str(tmp_path / "none")}))) is ConfigError
        assert type(refusal(shell("", 0o600))) is ConfigError
        (tmp_path / "program").write_text("#!/no/such/interpreter\n")
        (tmp_path / "program").chmod(0o700)
        assert type(refusal(ExecBackend({"command": f"{tmp_path}/program"}))) is ConfigError
        os.mkfifo(tmp_path / "pipe", 0o700)
        assert type(refusal(ExecBackend({"command": f"{tmp_path}/pipe"}))) is DeniedError

    def test_a_check_says_whether_it_would_be_run_and_does_not(
        self, shell: Program, tmp_path: Path
    ) -> None:
        health = shell("touch started").check()
        assert health.reachable
        assert health.identity == f"{tmp_path}/program"
        assert not (tmp_path / "started").exists()


class TestMisbehaviour:
    def test_a_status_other_than_0_is_a_refusal_that_shows_none_of_its_words(
        self, shell: Program
    ) -> None:
        failed = refusal(shell(f"echo {CANARY} >&2; printf %s '{ANSWER}'; exit 3"))
        assert type(failed) is RefusedError
        assert failed.message.endswith("ended with status 3, and wrote to standard error")
        assert refusal(shell("exit 3")).message.endswith("ended with status 3")
        assert refusal(shell("kill -9 $$")).message.endswith("was ended by signal 9")

    def test_what_it_says_on_standard_error_is_no_failure(self, shell: Program) -> None:
        backend = shell(f"echo warning >&2; {answering(ANSWER)}")
        assert backend.get("key").value.reveal() == CANARY.encode()

    def test_a_program_that_does_not_read_its_request_is_no_failure(self, shell: Program) -> None:
        backend = shell(f"exec <&-; printf %s '{ANSWER}'")
        many = [f"name-{number}-{'x' * 240}" for number in range(MOST_IDS)]  # two pipes' worth
        assert isinstance(backend.get_many(["key", *many[:-1]])["key"], Secret)
        silent = shell("sleep 60", timeout=1.0)
        began = time.monotonic()
        found = silent.get_many(many)
        assert time.monotonic() - began < PATIENCE
        assert {type(each) for each in found.values()} == {TemporaryError}

    def test_at_the_limit_the_whole_group_is_killed(self, shell: Program, tmp_path: Path) -> None:
        backend = shell("sleep 60 & echo $! >child; trap '' TERM; sleep 60", timeout=1.0)
        began = time.monotonic()
        late = refusal(backend)
        assert type(late) is TemporaryError
        assert late.message.endswith("did not answer within 1 seconds")
        assert time.monotonic() - began < PATIENCE
        assert gone(int((tmp_path / "child").read_text()))

    def test_silence_has_a_limit_of_its_own(self, shell: Program) -> None:
        began = time.monotonic()
        late = refusal(shell("printf x; sleep 60", timeout=30, **{"no-output-timeout": 0.5}))
        assert type(late) is TemporaryError
        assert late.message.endswith("wrote nothing for 0.5 seconds")
        assert time.monotonic() - began < PATIENCE

    def test_a_byte_now_and_then_does_not_lengthen_the_limit(self, shell: Program) -> None:
        began = time.monotonic()
        script = "while :; do printf x; sleep 0.1; done"
        late = refusal(shell(script, timeout=1.0, **{"no-output-timeout": 0.5}))
        assert type(late) is TemporaryError
        assert time.monotonic() - began < PATIENCE

    @pytest.mark.parametrize("descriptor", [1, 2])
    def test_a_flood_is_stopped_in_bounded_memory(self, shell: Program, descriptor: int) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        flood = refusal(shell(f"exec cat /dev/zero >&{descriptor}"))
        assert type(flood) is RefusedError
        assert flood.message.endswith("wrote more than 1 MiB")
        assert time.monotonic() - began < PATIENCE
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 16 * 1024  # KiB

    def test_a_program_that_leaves_another_behind_is_not_waited_for(
        self, shell: Program, tmp_path: Path
    ) -> None:
        """An agent that it starts keeps its pipes; it is the program's own, and lives on."""
        backend = shell(f"sleep 60 & echo $! >child; {answering(ANSWER)}", timeout=30)
        began = time.monotonic()
        assert backend.get("key").value.reveal() == CANARY.encode()
        assert time.monotonic() - began < PATIENCE
        left = int((tmp_path / "child").read_text())
        assert not gone(left, seconds=0)
        os.kill(left, 9)

    def test_a_program_that_closes_its_pipes_and_stays_is_ended(self, shell: Program) -> None:
        late = refusal(shell("exec >&- 2>&-; sleep 60", timeout=1.0))
        assert type(late) is TemporaryError

    def test_no_process_is_left(self, shell: Program) -> None:
        before = children()
        refusal(shell("sleep 60", timeout=0.2))
        refusal(shell("exit 1"))
        shell(answering(ANSWER)).get("key")
        assert children() <= before  # another test of this process may have one


def children() -> set[int]:
    """Return the processes that this one has started and that are not gone, ended ones too."""
    task = f"/proc/self/task/{os.getpid()}/children"
    return {int(each) for each in Path(task).read_text().split()}


def gone(process: int, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with open(f"/proc/{process}/stat", encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
