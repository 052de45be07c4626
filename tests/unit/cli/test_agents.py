"""`openclaw agents` and `gateway` as they are typed, mostly without a gateway."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from openclaw_cli.gateway.core import Gateway as Core
from openclaw_cli.home import find
from openclaw_cli.runtime.session import Session
from tests.conftest import SCRIPTS, Openclaw
from tests.gateways import running, settings
from tests.unit.cli.terminal import Terminal

pytestmark = pytest.mark.slow

ZOO = {
    name: {"type": "thread-bound", "handler": f"zoo:{name}"}
    for name in ("echo", "fail", "hog", "crash", "leave", "chatter", "secret")
}
ZOO["sleep"] = {"type": "thread-bound", "handler": "zoo:sleep", "timeout": "1s"}
ZOO["absent"] = {"type": "thread-bound", "handler": "no_such_module:echo"}
ZOO["small"] = {"type": "thread-bound", "handler": "zoo:echo", "memory-limit": "5MB"}


@pytest.mark.parametrize(
    ("agent", "given", "status", "said"),
    [
        ("echo", b'"hi"', 0, ""),
        ("fail", b'"reason"', 7, "handler error: ValueError at zoo.py"),
        ("hog", b"200", 137, "memory limit"),
        ("crash", b"11", 137, "SIGSEGV"),
        ("leave", b"3", 137, "status 3"),
        ("sleep", b"5", 124, "its time was over"),
        ("absent", b"1", 78, "there is no module no_such_module"),
        ("small", b"1", 78, "before its first request"),
        ("nobody", b"1", 3, "no agent is called nobody"),
        ("ecko", b"1", 3, "did you mean echo?"),
        ("echo", b"", 2, "the input is empty"),
        ("echo", b"not json", 2, "--text"),
    ],
)
def test_run_ends_with_the_status_of_what_happened(
    openclaw: Openclaw, agent: str, given: bytes, status: int, said: str
) -> None:
    settings(ZOO)
    done = openclaw("agents", "run", agent, "--input", "-", input=given, check=status)
    assert said in done.err.decode()
    assert b"Traceback" not in done.err
    assert done.out == (b"hi\n" if not status else b"")


def test_an_answer_moves_no_terminal_and_comes_through_a_pipe_as_it_is(openclaw: Openclaw) -> None:
    settings(ZOO)
    line = ("agents", "run", "echo", "--input", "-")
    odd = "one\n\x1b[2J\u202e"
    assert openclaw(*line, input=json.dumps(odd).encode(), check=0).out == f"{odd}\n".encode()
    assert openclaw(*line, input=b'"\\ud800"', check=0).out == b"\\ud800\n"
    with Terminal() as terminal:
        subprocess.run(
            [f"{SCRIPTS}/openclaw", *line],
            input=json.dumps(odd).encode(),
            stdout=terminal.descriptor,
            check=True,
        )
        assert terminal.screen(until=b"202e") == b"one\n\\x1b[2J\\u202e\n"


def test_run_has_the_same_statuses_by_a_gateway(openclaw: Openclaw) -> None:
    settings(ZOO)
    with running(openclaw):
        for agent, given, status in (
            ("echo", b"1", 0),
            ("fail", b'"x"', 7),
            ("sleep", b"5", 124),
            ("hog", b"200", 137),
        ):
            openclaw("agents", "run", agent, "--input", "-", input=given, check=status)


def test_run_prints_what_the_agent_printed_to_standard_error(openclaw: Openclaw) -> None:
    settings(ZOO)
    done = openclaw("agents", "run", "chatter", "--input", "-", input=b"5", check=0)
    assert done.out == b"said\n"
    assert b"by print\nby stderr\nby write\nby a child\nxxxxx\n" in done.err


def test_run_reads_a_secret_with_its_record_and_refuses_another(openclaw: Openclaw) -> None:
    openclaw("secrets", "create", "mine", input=b"canary-88", check=0)
    openclaw("secrets", "create", "other", input=b"canary-99", check=0)
    settings({"secret": {**ZOO["secret"], "secrets": ["mine"]}})
    done = openclaw("agents", "run", "secret", "--input", "-", input=b'"mine"', check=0)
    assert json.loads(done.out) == [9, ["mine"], []]
    refused = openclaw("agents", "run", "secret", "--input", "-", input=b'"other"', check=7)
    assert b"canary" not in refused.err
    trail = (Path(os.environ["OPENCLAW_STATE_DIR"]) / "audit" / "trail.jsonl").read_text()
    reads = [
        (each["name"], each["outcome"])
        for each in map(json.loads, trail.splitlines())
        if each["kind"] == "secret_reveal" and each.get("actor", {}).get("agent") == "secret"
    ]
    assert ("mine", "ok") in reads
    assert ("other", "denied") in reads
    assert "canary" not in trail
    assert '"agent_exec"' in trail


def test_run_leaves_nothing_behind_when_it_is_interrupted(openclaw: Openclaw) -> None:
    settings({"sleep": {**ZOO["sleep"], "timeout": "60s"}})
    openclaw("config", "check", check=0)
    with subprocess.Popen(
        [os.path.join(SCRIPTS, "openclaw"), "agents", "run", "sleep", "--input", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as typed:
        assert typed.stdin is not None
        typed.stdin.write(b"50")
        typed.stdin.close()
        deadline = time.monotonic() + 20
        while not (below := _below(typed.pid)) or not _below(below[0]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        every = [*below, *_below(below[0])]
        typed.send_signal(signal.SIGINT)
        assert typed.wait(10) == 130
    deadline = time.monotonic() + 5
    while any(os.path.exists(f"/proc/{each}/exe") for each in every):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_code_that_others_can_write_is_not_run(openclaw: Openclaw) -> None:
    state = settings(ZOO).parent
    (state / "handlers").unlink()
    (state / "handlers").mkdir()
    (state / "handlers" / "zoo.py").write_text("def echo(given, ctx):\n    return given\n")
    openclaw("agents", "run", "echo", "--input", "-", input=b"1", check=0)
    (state / "handlers").chmod(0o777)
    refused = openclaw("agents", "run", "echo", "--input", "-", input=b"1", check=78)
    assert b"others can write" in refused.err


def test_a_locked_store_does_not_hold_up_an_agent_without_secrets(openclaw: Openclaw) -> None:
    openclaw("secrets", "create", "mine", input=b"v", check=0)
    state = settings({"echo": ZOO["echo"], "has": {**ZOO["secret"], "secrets": ["mine"]}}).parent
    (state / "secrets" / "key").rename(state / "secrets" / "key.away")
    with running(openclaw) as gateway:
        assert gateway.agent("echo", 1).json["output"] == 1
        refused = gateway.agent("has", "mine")
        assert (refused.status, refused.json["outcome"]) == (503, "locked")


def test_commands_that_need_a_gateway_say_how_to_start_one(openclaw: Openclaw) -> None:
    settings(ZOO)
    for line in ("agents status", "agents restart echo", "agents stop echo", "gateway reload"):
        assert b"openclaw gateway start" in openclaw(*line.split(), check=75).err
    assert b"openclaw gateway start" in openclaw("gateway", "status", check=3).err
    openclaw("gateway", "stop", check=0)


def test_a_gateway_that_cannot_start_says_why_and_leaves_nothing(openclaw: Openclaw) -> None:
    path = settings(ZOO)
    path.write_text('{"agents": {"a": {"type": "thread-bund"}}}')
    refused = openclaw("gateway", "start", check=78)
    assert b"openclaw.json, line 1" in refused.err
    openclaw("gateway", "status", check=3)


def test_an_agent_that_cannot_start_does_not_hold_the_others(openclaw: Openclaw) -> None:
    settings(ZOO)
    with running(openclaw) as gateway:
        rows = {each["name"]: each for each in gateway.ask("/v1/status").json["agents"]}
        assert rows["absent"]["state"] == rows["small"]["state"] == "failed"
        assert "no_such_module" in rows["absent"]["trouble"]
        assert gateway.agent("echo", 1).json["output"] == 1
        assert gateway.agent("absent", 1).status == 500


def test_logs_are_shown_by_agent_thread_and_request_and_followed(openclaw: Openclaw) -> None:
    settings({**ZOO, "talk": {"mode": "session", "thread": True, "handler": "zoo:Talk"}})
    with running(openclaw) as gateway:
        asked = gateway.agent("talk", 1, session="mine").json["request_id"]
        gateway.agent("echo", 1)
        for option, value in (("--agent", "talk"), ("--thread", "mine"), ("--request", asked)):
            shown = openclaw("agents", "logs", option, value, "--json", check=0).out
            lines = [json.loads(line) for line in shown.splitlines()]
            assert lines
            assert {each.get(option[2:]) for each in lines} == {value}
        with subprocess.Popen(
            [os.path.join(SCRIPTS, "openclaw"), "agents", "logs", "--follow", "--lines", "0"],
            stdout=subprocess.PIPE,
        ) as following:
            time.sleep(1)
            gateway.agent("echo", 2)
            assert following.stdout is not None
            assert b"echo" in following.stdout.readline()
            following.terminate()


@pytest.mark.parametrize("line", ["agents top --every 1s", "status --watch"])
def test_a_live_table_is_drawn_again_and_again(openclaw: Openclaw, line: str) -> None:
    settings(ZOO)
    with (
        running(openclaw),
        subprocess.Popen(
            [os.path.join(SCRIPTS, "openclaw"), *line.split()], stdout=subprocess.PIPE
        ) as drawn,
    ):
        assert drawn.stdout is not None
        seen = 0
        for row in drawn.stdout:
            seen += row.startswith(b"gateway ")
            if seen == 2:
                break
        drawn.send_signal(signal.SIGINT)
        assert drawn.wait(10) in (130, 141)


def test_the_gateway_rotates_as_the_command_does(openclaw: Openclaw) -> None:
    openclaw("secrets", "create", "key", "--generate=token", check=0)
    settings({})
    report = Core(find(os.environ))._rotated()  # noqa: SLF001
    assert (report.done, report.failed) == ([], [])


def test_a_thread_that_cannot_be_written_stops_neither_the_state_nor_the_end(
    openclaw: Openclaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    openclaw("secrets", "create", "key", "--generate=token", check=0)
    state = settings({"talk": {"handler": "zoo:Talk", "mode": "session"}}).parent

    async def main() -> None:
        core = Core(find(os.environ))
        await core.supervisor.start()
        known = core.supervisor.pools["talk"].sessions.known
        known["\ud800"] = Session("talk", "\ud800", born=1.0, used=1.0)
        await core._remember()  # noqa: SLF001
        assert not (state / "state.toml").exists()
        del known["\ud800"]

        async def broken() -> None:
            raise RuntimeError

        monkeypatch.setattr(core.watch, "flush", broken)
        await core.close()
        assert (state / "state.toml").exists()
        assert "a bug: RuntimeError" in (state / "logs" / "agent.log").read_text()

    asyncio.run(main())


def test_the_unit_is_one_that_systemd_reads(openclaw: Openclaw) -> None:
    openclaw("gateway", "install", check=0)
    unit = Path(os.environ["HOME"]) / ".config" / "systemd" / "user" / "openclaw-gateway.service"
    assert unit.stat().st_mode & 0o777 == 0o600
    shown = openclaw("gateway", "install", "--print", check=0).out
    assert shown == unit.read_bytes()


def _below(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(each) for each in text.split()]


def test_code_that_is_none_is_told_with_its_line(openclaw: Openclaw) -> None:
    state = settings({"bad": {"handler": "bad:f"}}).parent
    (state / "handlers").unlink()
    (state / "handlers").mkdir(mode=0o700)
    for text, said in (
        ("def f(given, ctx):\n    return given +\n", "SyntaxError at bad.py:2"),
        ("import os\n\nos.environ['NOT_SET']\n", "KeyError at bad.py:3"),
    ):
        (state / "handlers" / "bad.py").write_text(text)
        refused = openclaw("agents", "run", "bad", "--input", "-", input=b"1", check=78)
        assert f"bad:f: importing it raised {said}" in refused.err.decode()
        assert refused.err.count(b"bad: ") == 1


def test_an_input_that_was_meant_as_json_is_told_how_to_give_it(openclaw: Openclaw) -> None:
    settings(ZOO)
    refused = openclaw("agents", "run", "echo", "--input", '{"a": 1}', check=3)
    assert b"| openclaw agents run echo --input -" in refused.err


def test_a_gateway_does_not_begin_anew_with_settings_that_it_could_not_begin_with(
    openclaw: Openclaw,
) -> None:
    path = settings(ZOO)
    before = path.read_text()
    with running(openclaw) as gateway:
        for text in ("{", '{"agents": {"echo": {"handler": "zoo:echo", "timeout": "soon"}}}'):
            path.write_text(text)
            for command in ("restart", "reload"):
                openclaw("gateway", command, check=78)
                assert gateway.agent("echo", 1).json["output"] == 1
        path.write_text(before)
        openclaw("gateway", "restart", check=0)
        assert gateway.agent("echo", 2).json["output"] == 2


def test_of_all_agents_those_that_can_are_restarted(openclaw: Openclaw) -> None:
    settings({name: ZOO[name] for name in ("absent", "echo")})
    with running(openclaw):
        some = openclaw("agents", "restart", check=8)
        assert b"restarted echo (" in some.err
        assert b"as before: absent: no_such_module:echo: there is no module" in some.err
        openclaw("agents", "restart", "absent", check=78)
        shown = openclaw("agents", "status", check=0).out.decode()
        assert "\nabsent: no_such_module" in shown
