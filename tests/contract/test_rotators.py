"""Rotators that need no server keep the contract; the others do in `tests/integration/`."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from openclaw_cli import providers
from openclaw_cli.errors import ConfigError, DeniedError, RefusedError, TemporaryError
from openclaw_cli.model import CURRENT, SecretValue
from openclaw_cli.providers.provider import PERSON
from openclaw_cli.rotation.rotator import Held, Rotator, Task, checked
from openclaw_cli.rotation.rotators import ROTATORS
from openclaw_cli.rotation.rotators.command import Command, CommandMints
from openclaw_cli.rotation.rotators.generate import Generate
from openclaw_cli.rotation.rotators.person import Person
from openclaw_cli.rotation.rotators.webhook import Webhook, WebhookMints
from openclaw_cli.testing.acme import Acme
from openclaw_cli.testing.rotators import TOKEN, Accepts, ProviderContract, RotatorContract
from tests.hostile_http import HostileServer


class TestGenerate(RotatorContract):
    @pytest.fixture
    def rotator(self) -> Generate:
        return Generate()

    @pytest.fixture
    def task(self) -> Task:
        held = (Held(SecretValue(b"what it was"), CURRENT),)
        settings = checked({"kind": "token:hex:32"}, Generate.SETTINGS, "generate")
        return Task("session-secret", TOKEN, time.time(), held, settings)

    def test_it_makes_what_the_setting_says(self, rotator: Rotator, task: Task) -> None:
        assert len(bytes.fromhex(rotator.create(task).value.reveal().decode())) == 32


PROGRAM = """#!{python} -I
import json, os, sys
told = json.load(sys.stdin)
place = lambda value: {folder!r} + "/" + value.encode().hex()
step, value = told["step"], told.get("value", "")
if step == "create":
    for each in os.listdir({folder!r}):
        if open({folder!r} + "/" + each).read() == told["token"]:
            os.unlink({folder!r} + "/" + each)
    value = os.urandom(16).hex()
    open(place(value), "w").write(told["token"])
    print(json.dumps({{"value": value, "handle": "key-" + value[:4]}}))
if step == "set":
    open(place(value), "w").write(told["token"])
if step == "test" and not os.path.exists(place(value)):
    sys.exit(1)
if step in ("undo", "revoke") and os.path.exists(place(value)):
    os.unlink(place(value))
"""


class _Command(ProviderContract):
    settings: Mapping[str, str] = {}

    @pytest.fixture
    def service(self, tmp_path: Path) -> Path:
        place = tmp_path / "service"
        place.mkdir()
        (place / b"the-first-value".hex()).write_text("before")
        return place

    @pytest.fixture
    def task(self, service: Path, tmp_path: Path, rotator: Rotator) -> Task:
        program = tmp_path / "rotate-acme"
        python = os.path.realpath(sys.executable)
        program.write_text(PROGRAM.format(python=python, folder=str(service)))
        program.chmod(0o700)
        given = {"command": str(program), **self.settings}
        settings = checked(given, rotator.SETTINGS, rotator.name)
        held = (Held(SecretValue(b"the-first-value"), CURRENT),)
        return Task("acme-key", TOKEN, time.time(), held, settings)

    @pytest.fixture
    def accepts(self, service: Path) -> Accepts:
        return lambda value: (service / value.reveal().hex()).exists()

    @pytest.fixture
    def live(self, service: Path) -> Callable[[], int]:
        return lambda: len(list(service.iterdir()))

    def test_a_program_that_others_could_change_is_not_run(
        self, rotator: Rotator, task: Task
    ) -> None:
        Path(task.settings["command"]).chmod(0o722)
        with pytest.raises(DeniedError):
            rotator.check(task)

    def test_a_program_that_is_too_slow_is_ended(
        self, rotator: Rotator, task: Task, tmp_path: Path
    ) -> None:
        slow = tmp_path / "slow"
        slow.write_text("#!/bin/sh\nexec sleep 30\n")
        slow.chmod(0o700)
        late = replace(
            task, settings={**task.settings, "command": str(slow)}, deadline=time.monotonic() + 0.3
        )
        assert task.current
        with pytest.raises(TemporaryError):
            rotator.test(late, task.current)

    def test_status_75_is_a_reason_to_come_again(
        self, rotator: Rotator, task: Task, tmp_path: Path
    ) -> None:
        busy = tmp_path / "busy"
        busy.write_text("#!/bin/sh\necho secret >&2\nexit 75\n")
        busy.chmod(0o700)
        with pytest.raises(TemporaryError) as later:
            rotator.check(replace(task, settings={**task.settings, "command": str(busy)}))
        assert "secret" not in later.value.message


class TestCommand(_Command):
    @pytest.fixture
    def rotator(self) -> Command:
        return Command()


class TestCommandMints(_Command):
    @pytest.fixture
    def rotator(self) -> CommandMints:
        return CommandMints()

    def test_an_answer_without_a_value_is_refused(
        self, rotator: Rotator, task: Task, tmp_path: Path
    ) -> None:
        silent = tmp_path / "silent"
        silent.write_text("#!/bin/sh\n")
        silent.chmod(0o700)
        with pytest.raises(RefusedError):
            rotator.create(replace(task, settings={**task.settings, "command": str(silent)}))


class _Server(http.server.ThreadingHTTPServer):
    """A webhook that keeps its service in memory."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.acme = Acme()
        self.told: list[tuple[str, bytes, str]] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.told.append((self.path, body, self.headers.get("X-Openclaw-Signature", "")))
        told = json.loads(body)
        keys, value = server.acme.keys, told.get("value", "").encode()
        answer, status = {}, 200
        if told["step"] == "create":
            for each in [key for key, made in keys.items() if made.token == told["token"]]:
                del keys[each]
            answer = {"value": os.urandom(8).hex()}
            server.acme.add(answer["value"].encode(), token=told["token"])
        elif told["step"] == "set":
            server.acme.add(value, token=told["token"])
        elif told["step"] == "test" and value not in keys:
            status = 403
        elif told["step"] in ("undo", "revoke"):
            keys.pop(value, None)
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class _Webhook(ProviderContract):
    @pytest.fixture
    def server(self) -> Iterator[_Server]:
        with _Server() as server:
            server.acme.add(b"the-first-value")
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield server
            server.shutdown()

    @pytest.fixture
    def task(self, server: _Server, rotator: Rotator) -> Task:
        given = {"url": f"http://127.0.0.1:{server.server_address[1]}/acme?x=1", "key": "k"}
        settings = checked(given, rotator.SETTINGS, rotator.name)
        held = (Held(SecretValue(b"the-first-value"), CURRENT),)
        signing = {"key": SecretValue(b"signing")}
        return Task("acme-key", TOKEN, time.time(), held, settings, signing)

    @pytest.fixture
    def accepts(self, server: _Server) -> Accepts:
        return server.acme.accepts

    @pytest.fixture
    def live(self, server: _Server) -> Callable[[], int]:
        return server.acme.count

    def test_each_request_is_signed_and_the_key_stays_here(
        self, rotator: Rotator, task: Task, server: _Server
    ) -> None:
        rotator.check(task)
        path, body, signature = server.told[0]
        assert path == "/acme?x=1"
        assert signature == f"sha256={hmac.new(b'signing', body, hashlib.sha256).hexdigest()}"
        assert b"signing" not in body

    @pytest.mark.parametrize(
        "url",
        [
            "http://example.com/",
            "ftp://127.0.0.1/",
            "https://",
            "https://user:pass@example.com/",
            "http://127.0.0.1.example.com/",
            "http://[::1/",
            "https://example.com:99999/",
            "file:///etc/passwd",
            "",
        ],
    )
    def test_a_value_goes_to_no_other_place(self, rotator: Rotator, task: Task, url: str) -> None:
        with pytest.raises(ConfigError):
            rotator.check(replace(task, settings={**task.settings, "url": url}))

    @pytest.mark.parametrize(
        ("behaviour", "error"),
        [
            ("redirect", RefusedError),
            ("drip-head", TemporaryError),
            ("drip-body", TemporaryError),
            ("hang", TemporaryError),
            ("reset", TemporaryError),
            ("not-http", TemporaryError),
            ("429", TemporaryError),
            ("503", TemporaryError),
            ("403-echo", RefusedError),
            ("json-list", RefusedError),
            ("json-deep", RefusedError),
            ("html", RefusedError),
            ("huge", RefusedError),
        ],
    )
    def test_a_server_that_misbehaves_gets_no_second_request(
        self, rotator: Rotator, task: Task, behaviour: str, error: type[Exception]
    ) -> None:
        with HostileServer("html") as other, HostileServer(behaviour, to=other.address) as server:
            settings = {**task.settings, "url": f"{server.address}/"}
            with pytest.raises(error):
                rotator.check(replace(task, settings=settings, deadline=time.monotonic() + 1))
            assert not other.requests


class TestWebhook(_Webhook):
    @pytest.fixture
    def rotator(self) -> Webhook:
        return Webhook()


class TestWebhookMints(_Webhook):
    @pytest.fixture
    def rotator(self) -> WebhookMints:
        return WebhookMints()


@pytest.mark.parametrize("name", ROTATORS.ours)
def test_each_line_of_the_table_is_a_rotator_of_that_name(name: str) -> None:
    rotator: Rotator = ROTATORS.get(name)()
    assert rotator.name == name
    assert rotator.SETTINGS is not None


@pytest.mark.parametrize("name", providers.PROVIDERS.ours)
def test_a_provider_s_rotator_does_what_the_provider_says(name: str) -> None:
    provider = providers.get(name)
    if provider.rotator:
        assert ROTATORS.get(provider.rotator).kind == provider.rotation


def test_what_a_person_must_do_is_never_done_by_us() -> None:
    rotator = Person()
    assert rotator.kind == PERSON
    with pytest.raises(RefusedError):
        rotator.create(Task("openai-api-key", TOKEN, time.time()))
