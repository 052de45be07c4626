"""A gateway under load, restarted, killed, and asked by those who mean it no good."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from tests.conftest import NIGHTLY, Openclaw
from tests.gateways import Gateway, running, settings

pytestmark = pytest.mark.slow

AGENTS = {
    name: {"type": "thread-bound", "handler": f"zoo:{name}", "max-concurrency": 8, "queue": 1000}
    for name in ("echo", "slowly", "sleep", "hog", "crash", "leave", "fail", "chatter", "stray")
}
AGENTS["sleep"]["timeout"] = 0.3
for _name in ("crash", "leave"):
    AGENTS[_name]["restart"] = {"max": 100_000, "period": "10s"}
AGENTS["bomb"] = {"type": "thread-bound", "handler": "zoo:bomb", "timeout": 1, "queue": 1000}
AGENTS["talk"] = {"mode": "session", "thread": True, "handler": "zoo:Talk", "queue": 1000}

# What is asked, how often of a hundred, and what may be answered.
MIX: list[tuple[str, Any, int, set[int]]] = [
    ("echo", {"a": 1}, 50, {200}),
    ("slowly", 1, 15, {200}),
    ("talk", 1, 8, {200}),
    ("sleep", 5, 3, {504}),
    ("hog", 200, 6, {507}),
    ("crash", 11, 5, {502}),
    ("leave", 3, 4, {502}),
    ("fail", "no", 5, {500}),
    ("chatter", 2000, 3, {200}),
    ("stray", ["setsid", "sleep", "300"], 1, {200}),
]


@pytest.fixture
def gateway(openclaw: Openclaw) -> Iterator[Gateway]:
    settings(AGENTS, threadManagement={"maxThreads": 40})
    with running(openclaw) as started:
        yield started


def asking(gateway: Gateway, connections: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        f"http://127.0.0.1:{gateway.port}",
        connector=aiohttp.TCPConnector(limit=connections, force_close=True),
        headers={"Authorization": f"Bearer {gateway.token}"},
        timeout=aiohttp.ClientTimeout(total=120),
    )


def test_a_mix_is_answered_once_each_and_rightly_and_nothing_is_left(gateway: Gateway) -> None:
    count = 10_000 if NIGHTLY else 300
    asked = random.Random(7).choices(MIX, [each[2] for each in MIX], k=count)
    asked += [("bomb", None, 0, {200, 500, 504, 507})] * (3 if NIGHTLY else 1)
    process = psutil.Process(gateway.pid)
    gateway.agent("echo", 1)
    files = process.num_fds()

    async def main() -> Counter[tuple[str, int]]:
        seen: Counter[tuple[str, int]] = Counter()
        left = iter(enumerate(asked))
        async with asking(gateway, 40) as client:

            async def one() -> None:
                for number, (name, given, _, allowed) in left:
                    body = {"input": given}
                    if name == "talk":
                        body["session"] = f"t{number % 8}"
                    async with client.post(f"/v1/agents/{name}", json=body) as answer:
                        found = await answer.json()
                        assert answer.status in allowed, (name, found)
                        assert name not in {"echo", "slowly"} or found["output"] == given
                        seen[name, answer.status] += 1

            await asyncio.gather(*[one() for _ in range(40)])
        return seen

    seen = asyncio.run(main())
    assert seen.total() == len(asked)
    _until(lambda: not busy(gateway))
    rows = gateway.ask("/v1/status").json["agents"]
    for row in rows:
        assert sum(row["outcomes"].values()) == row["requests"]
    states = {row["name"]: row["state"] for row in rows}
    assert states.pop("bomb") in ("ready", "asleep")  # a zygote drowned by it is given up
    assert set(states.values()) == {"ready"}
    _until(lambda: not strays())
    zygotes = {row["pid"] for row in rows if row["pid"]}
    _until(lambda: {each.pid for each in process.children() if runs(each)} == zygotes)
    spares = len(rows) + 8  # a spare each, and the sessions
    _until(lambda: sum(len(psutil.Process(pid).children()) for pid in zygotes) <= spares)
    _until(lambda: process.num_fds() <= files + 3 * 8 + 4)


def test_restarts_under_load_refuse_nobody(gateway: Gateway) -> None:
    clients, restarts = 30, ["agent", "gateway", "agent", "gateway", "agent"]
    done = asyncio.Event()

    async def main() -> Counter[int]:
        seen: Counter[int] = Counter()
        async with asking(gateway, clients) as client:

            async def one() -> None:
                while not done.is_set():
                    async with client.post("/v1/agents/echo", json={"input": 1}) as answer:
                        await answer.read()
                        seen[answer.status] += 1

            async def restarting() -> None:
                for what in restarts:
                    await asyncio.sleep(0.3)
                    line = ["agents", "restart", "echo"] if what == "agent" else ["gateway", what]
                    line = ["gateway", "restart"] if what == "gateway" else line
                    await asyncio.to_thread(gateway.openclaw, *line, check=0)
                await asyncio.sleep(0.3)
                done.set()

            await asyncio.gather(restarting(), *[one() for _ in range(clients)])
        return seen

    seen = asyncio.run(main())
    assert set(seen) == {200}
    assert seen[200] > 100
    assert "Traceback" not in (gateway.state / "logs" / "gateway.log").read_text()
    assert psutil.pid_exists(gateway.pid)


def test_a_killed_zygote_is_told_to_its_requests_and_replaced(gateway: Gateway) -> None:
    done = asyncio.Event()

    async def main() -> Counter[str]:
        seen: Counter[str] = Counter()
        async with asking(gateway, 20) as client:

            async def one() -> None:
                while not done.is_set():
                    async with client.post("/v1/agents/slowly", json={"input": 1}) as answer:
                        seen[(await answer.json())["outcome"]] += 1

            async def killing() -> None:
                for number in range(1, 4):
                    while seen["ok"] < 100 * number:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                    rows = (await asyncio.to_thread(gateway.ask, "/v1/status")).json["agents"]
                    pid = next(each["pid"] for each in rows if each["name"] == "slowly")
                    if pid is not None:
                        os.kill(pid, signal.SIGKILL)
                enough = seen["ok"] + 50
                while seen["ok"] < enough:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                done.set()

            await asyncio.gather(killing(), *[one() for _ in range(20)])
        return seen

    seen = asyncio.run(main())
    assert set(seen) <= {"ok", "lost"}
    assert seen["ok"] > seen["lost"]
    assert gateway.agent("slowly", 2).json["output"] == 2
    _until(lambda: not busy(gateway))


def test_crashes_one_after_another_rest_the_agent_and_a_restart_wakes_it(
    openclaw: Openclaw,
) -> None:
    settings({"crash": {"type": "thread-bound", "handler": "zoo:crash"}})
    with running(openclaw) as gateway:
        statuses = [gateway.agent("crash", 11) for _ in range(8)]
        assert [each.status for each in statuses] == [502] * 6 + [503] * 2
        assert int(statuses[-1].headers["retry-after"]) >= 1
        openclaw("agents", "restart", "crash", check=0)
        assert gateway.agent("crash", 11).status == 502


def test_a_client_that_goes_away_ends_nothing_unless_the_agent_says_so(openclaw: Openclaw) -> None:
    agent = {"type": "thread-bound", "handler": "zoo:sleep"}
    settings({"finish": agent, "cancel": {**agent, "onDisconnect": "cancel"}})
    with running(openclaw) as gateway:
        for name, outcomes in (("finish", {"ok": 1}), ("cancel", {"cancelled": 1})):
            with pytest.raises(TimeoutError):
                gateway.ask(f"/v1/agents/{name}", {"input": 1.5}, seconds=0.5)
            _until(lambda: not busy(gateway), 5)
            rows = {each["name"]: each for each in gateway.ask("/v1/status").json["agents"]}
            assert rows[name]["outcomes"] == outcomes
        _until(
            lambda: ("instance_end", "cancel") in [(e["event"], e["agent"]) for e in gateway.log()]
        )
        told = [e for e in gateway.log() if e["event"] == "agent_exec" and e["agent"] == "cancel"]
        assert [each["outcome"] for each in told] == ["cancelled"]
        _until(lambda: told[0]["request"] in openclaw("secrets", "audit", "--json").out.decode())


def test_an_answer_is_streamed_in_parts_and_then_whole(openclaw: Openclaw) -> None:
    settings({"parts": {"type": "thread-bound", "handler": "zoo:parts"}})
    with running(openclaw) as gateway:
        answer = gateway.agent("parts", ["one ", "two ", "three"], stream=True)
        assert answer.headers["content-type"] == "text/event-stream"
        events = [each.split("\n") for each in answer.body.decode().strip().split("\n\n")]
        chunks = [json.loads(data[6:])["text"] for name, data in events if name == "event: chunk"]
        assert "".join(chunks) == "one two three"
        assert events[-1][0] == "event: reply"
        assert json.loads(events[-1][1][6:])["output"] == "one two three"


def test_several_agents_answer_in_one(gateway: Gateway) -> None:
    asked = {"agents": ["echo", "slowly", "fail"], "input": "x", "coalesce": True}
    answer = gateway.ask("/v1/dispatch", asked)
    assert answer.status == 207
    assert [each["agent"] for each in answer.json["replies"]] == asked["agents"]
    assert answer.json["output"].splitlines()[:2] == ["[echo] x", "[slowly] x"]
    assert gateway.ask("/v1/dispatch", {"agents": ["echo"], "input": 1}).status == 200


def test_killed_it_leaves_nothing_and_the_next_start_is_clean(
    gateway: Gateway, openclaw: Openclaw
) -> None:
    said = gateway.agent("talk", "before", session="kept").json["output"]
    gateway.agent("stray", ["setsid", "sleep", "301"])
    below = psutil.Process(gateway.pid).children(recursive=True)
    assert len(below) > len(AGENTS)
    remembered = gateway.state / "state.toml"
    _until(lambda: remembered.exists() and "turns = 1" in remembered.read_text())
    os.kill(gateway.pid, signal.SIGKILL)
    began = time.monotonic()
    _until(lambda: not any(map(runs, below)))
    assert time.monotonic() - began < 2
    assert not strays()
    with running(openclaw) as again:
        after = again.agent("talk", "after", session="kept").json
        assert after["output"][1] != said[1]
        assert (after["output"][2], after["resumed"]) == (1, True)


def test_slow_clients_hold_nobody_up(gateway: Gateway) -> None:
    slow = []
    try:
        for number in range(500):
            each = socket.create_connection(("127.0.0.1", gateway.port))
            each.sendall(
                b"POST /v1/agents/echo HTTP/1.1\r\nHost: localhost\r\n" if number % 2 else b"P"
            )
            slow.append(each)
        before = psutil.Process(gateway.pid).memory_info().rss
        began = time.monotonic()
        for _ in range(20):
            assert gateway.agent("echo", 1).status == 200
        assert time.monotonic() - began < 10
        assert psutil.Process(gateway.pid).memory_info().rss < before + 50_000_000
        slow[0].settimeout(30)
        assert slow[0].recv(1) in (b"", b"H")  # it is sent away, after ten seconds at the latest
    except ConnectionResetError:
        pass
    finally:
        for each in slow:
            each.close()
    assert gateway.agent("echo", 1).status == 200


MALFORMED = [
    b"\x00\x01\x02\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /healthz HTTP/9.9\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /v1/agents/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    (
        b"POST /v1/agents/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    b"POST /v1/agents/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    + b"".join(b"H%d: v\r\n" % number for number in range(2000))
    + b"\r\n",
]


def test_malformed_requests_are_refused_and_nothing_slows_down(gateway: Gateway) -> None:
    for data in MALFORMED:
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as sent:
            sent.sendall(data)
            with_end = b""
            try:
                while piece := sent.recv(4096):
                    with_end += piece
                    if b"\r\n\r\n" in with_end:
                        break
            except (TimeoutError, ConnectionResetError):
                pass
            assert with_end[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.0 400", b""), data[
                :60
            ]
            assert b"Traceback" not in with_end
    assert gateway.agent("echo", 1).status == 200


def test_bodies_are_bounded_and_understood_or_refused(gateway: Gateway) -> None:
    big = gateway.ask("/v1/agents/echo", {"input": "x" * 2_000_000})
    assert big.status == 413
    for body, status in [
        ([1], 400),
        ({}, 400),
        ({"input": 1, "session": "../x y"}, 400),
        ({"input": 1, "session": 5}, 400),
        ("text", 400),
    ]:
        assert gateway.ask("/v1/agents/echo", body).status == status, body
    assert gateway.ask("/v1/agents/nobody", {"input": 1}).status == 404
    assert gateway.ask("/v1/agents/echo", method="GET").status == 405
    assert gateway.ask("/control/status", {}).status == 404
    assert gateway.ask("/v1/dispatch", {"agents": [], "input": 1}).status == 400
    deep = "[" * 50_000 + "]" * 50_000
    with socket.create_connection(("127.0.0.1", gateway.port)) as sent:
        head = (
            "POST /v1/agents/echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Authorization: Bearer {gateway.token}\r\nContent-Length: {len(deep) + 10}\r\n\r\n"
        )
        sent.sendall(head.encode() + b'{"input":' + deep.encode() + b"}")
        assert sent.recv(20).startswith(b"HTTP/1.1 400")
    assert gateway.agent("echo", "still").json["output"] == "still"


def test_wrong_tokens_are_401_and_a_foreign_host_or_origin_is_403(gateway: Gateway) -> None:
    for token in ("", "wrong", gateway.token[:-1], gateway.token + "x", "t\xe4st", "\x00"):
        try:
            refused = gateway.ask("/v1/agents/echo", {"input": 1}, token=token)
        except ValueError:  # the client itself does not send a control character
            continue
        assert refused.status == (400 if token == "\x00" else 401), token
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        refused = gateway.ask("/v1/agents/echo", {"input": 1}, headers=headers)
        assert refused.status == 403
        assert gateway.ask("/healthz", token="", headers=headers).status == 403


SCOPES = ("", "none", "invoke", "read", "admin")
"""No token, one without a scope, and one for each scope."""

OPEN, LOOKING, ASKING = (200,) * 5, (401, 403, 403, 200, 403), (401, 403, 200, 403, 403)
ROUTES: list[tuple[str, str, tuple[int, ...]]] = [
    ("GET", "/healthz", OPEN),
    ("GET", "/metrics", (200, 403, 403, 200, 403)),  # without names of secrets for nobody
    ("GET", "/v1/status", LOOKING),
    ("GET", "/v1/status?verbose", LOOKING),
    ("GET", "/__openclaw__/", LOOKING),
    ("GET", "/__openclaw__/status", LOOKING),
    ("GET", "/__openclaw__/link?t=x", (401,) * 5),  # it takes a link, not a token
    ("POST", "/v1/agents/echo", ASKING),
    ("POST", "/v1/agents/nobody", (401, 403, 404, 403, 403)),
    ("GET", "/v1/agents/echo", (401, 403, 405, 403, 403)),
    ("POST", "/v1/dispatch", ASKING),
    ("POST", "/control/stop", (401, 403, 403, 404, 403)),
    ("GET", "/nowhere", (401, 403, 403, 404, 403)),
    ("GET", "/v1%2fstatus", LOOKING),
    ("GET", "/healthz/../v1/status", (401, 403, 403, 404, 403)),
]


def test_each_route_takes_its_scope_and_no_other(openclaw: Openclaw) -> None:
    state = settings({"echo": {"type": "thread-bound", "handler": "zoo:echo"}}).parent
    tokens = {scope: scope and f"a-token-with-{scope}" for scope in SCOPES}
    (state / "gateway").mkdir(mode=0o700)
    (state / "gateway" / "tokens.toml").write_text(
        "".join(
            f'[{scope}]\ntoken = "{text}"\nscopes = {[scope] if scope != "none" else []}\n'
            for scope, text in tokens.items()
            if scope
        )
    )
    (state / "gateway" / "tokens.toml").chmod(0o600)
    body = {"input": 1, "agents": ["echo"]}
    with running(openclaw) as gateway:
        for method, path, expected in ROUTES:
            found = tuple(
                gateway.ask(path, body if method == "POST" else None, token=tokens[scope]).status
                for scope in SCOPES
            )
            assert found == expected, path


def test_what_is_said_twice_counts_twice_and_what_json_has_not_is_told(gateway: Gateway) -> None:
    good, bad = f"Authorization: Bearer {gateway.token}", "Authorization: Bearer other"
    for fields, status in (
        ([good], b"200"),
        ([bad, good], b"401"),
        ([good, "Origin: http://evil.example", "Origin: http://localhost"], b"403"),
    ):
        head = "\r\n".join(["GET /v1/status HTTP/1.1", "Host: localhost", *fields, "", ""])
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as sent:
            sent.sendall(head.encode())
            assert sent.recv(12)[9:] == status, fields
    assert gateway.ask("/v1/agents/echo", {"input": float("nan")}).status == 400


def test_another_user_is_not_heard_on_the_control_socket(gateway: Gateway) -> None:
    path = gateway.state / "run" / "gateway.sock"
    asked = "POST /control/stop HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\n{}"
    code = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        f" s.sendall(b'{asked}'); print(s.recv(20).decode())"
    )
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3"]
    closed = subprocess.run([*as_nobody, "-c", code, path], capture_output=True, check=False)
    assert b"PermissionError" in closed.stderr
    for each in [path, *path.parents[:-1]]:
        mode = each.stat().st_mode
        each.chmod(mode | 0o007)
        _restore.append((each, mode))
    try:
        heard = subprocess.run([*as_nobody, "-c", code, path], capture_output=True, check=False)
    finally:
        while _restore:
            each, mode = _restore.pop()
            each.chmod(mode)
    assert heard.stdout.startswith(b"HTTP/1.1 403")
    assert gateway.agent("echo", 1).status == 200


_restore: list[tuple[Path, int]] = []


def test_a_held_port_is_told_and_another_offered(openclaw: Openclaw) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        settings({"echo": {"type": "thread-bound", "handler": "zoo:echo"}}, gateway={"port": port})
        refused = openclaw("gateway", "start", check=11).err.decode()
    assert f"port {port} is held by " in refused
    assert f"process {os.getpid()}" in refused
    assert "openclaw gateway start --port " in refused
    with running(openclaw) as gateway:
        assert gateway.port == port


def test_c15_without_a_token_of_ones_own_it_stays_on_this_machine(openclaw: Openclaw) -> None:
    settings(
        {"echo": {"type": "thread-bound", "handler": "zoo:echo"}},
        gateway={"host": "0.0.0.0", "port": 0},  # noqa: S104
    )
    said = openclaw("gateway", "start", check=0).err.decode()
    warned = [line for line in said.splitlines() if "warning" in line]
    assert len(warned) == 1
    assert "trustedProxies" in warned[0]
    status = openclaw("gateway", "status", "--json", check=0).json()
    assert status["address"].startswith("127.0.0.1:")
    openclaw("gateway", "stop", check=0)
    tokens = Path(os.environ["OPENCLAW_STATE_DIR"]) / "gateway" / "tokens.toml"
    tokens.write_text('[mine]\ntoken = "a-token-of-my-own"\nscopes = ["invoke"]\n')
    with running(openclaw) as gateway:
        assert gateway.address.startswith("0.0.0.0:")
        assert gateway.ask("/v1/agents/echo", {"input": 1}, token="a-token-of-my-own").status == 200


def test_a_secret_is_in_no_argument_environment_log_or_trail(openclaw: Openclaw) -> None:
    canary = "canary-51fe-value"
    openclaw("secrets", "create", "key", input=canary.encode(), check=0)
    state = settings(
        {
            "tells": {"type": "thread-bound", "handler": "zoo:secret", "secrets": ["key"]},
            "slow": {"type": "thread-bound", "handler": "zoo:sleep", "secrets": ["key"]},
        }
    ).parent
    with running(openclaw) as gateway:
        assert gateway.agent("tells", "key").json["output"] == [len(canary), ["key"], []]
        assert gateway.agent("tells", "other").status == 500
        with subprocess.Popen(
            ["openclaw", "agents", "run", "slow", "--input", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        ) as running_one:
            assert running_one.stdin is not None
            running_one.stdin.write(b"1")
            running_one.stdin.close()
            _until(lambda: busy(gateway) > 0)
            family = psutil.Process(gateway.pid)
            for each in [family, *family.children(recursive=True)]:
                for name in ("cmdline", "environ"):
                    seen = Path(f"/proc/{each.pid}/{name}").read_bytes()
                    assert canary.encode() not in seen
    for path in [each for each in state.rglob("*") if each.is_file()]:
        if path.name not in ("store.oc", "key"):
            assert canary.encode() not in path.read_bytes(), path
    events = openclaw("secrets", "audit", "--json", check=0).json()
    shown = json.dumps(events)
    assert '"agent": "tells"' in shown or "agent tells" in shown


def busy(gateway: Gateway) -> int:
    rows = gateway.ask("/v1/status").json["agents"]
    return sum(each["active"] + each["queued"] for each in rows)


def runs(process: psutil.Process) -> bool:
    """Tell whether it still does something: who buries it is not ours to say."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def strays() -> list[int]:
    return [
        each.pid
        for each in psutil.process_iter(["cmdline"])
        if each.info["cmdline"] in (["sleep", "300"], ["sleep", "301"])
    ]


def _until(true: Any, seconds: float = 20) -> None:  # noqa: ANN401
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
