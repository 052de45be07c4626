"""Writes to Vault and AWS that are interrupted half-way: what is there, and what is said of it.

A relay stands between the program and a real server. It lets everything through up to the request
that writes. Then the program is killed, or the connection cut, before the server has it or after.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS, Openclaw
from tests.integration.moto_server import variables
from tests.integration.vault_server import VaultServer

pytestmark = pytest.mark.integration

OLD, NEW = b"canary-old-4c1f", b"canary-new-93ae"


class Relay:
    """Passes bytes on between a client and a server, and acts when a request has a marker."""

    def __init__(self, port: int, markers: tuple[bytes, ...], *, after: bool) -> None:
        """Act before the server has such a request, or `after` it has answered."""
        self._target, self._markers, self._after = port, markers, after
        self.act: Callable[[], None] = lambda: None
        self.acted = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        held, answered = threading.Event(), threading.Event()
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            words = (server, client, held, answered)
            threading.Thread(target=self._back, args=words, daemon=True).start()
            request = b""
            while chunk := client.recv(1 << 16):
                request += chunk
                if not _is_whole(request):
                    continue
                if any(each in request for each in self._markers):
                    if self._after:
                        held.set()
                        server.sendall(request)
                        answered.wait(30)
                    self.acted += 1
                    self.act()
                    return
                server.sendall(request)
                request = b""

    @staticmethod
    def _back(
        server: socket.socket,
        client: socket.socket,
        held: threading.Event,
        answered: threading.Event,
    ) -> None:
        try:
            while chunk := server.recv(1 << 16):
                if held.is_set():
                    answered.set()
                else:
                    client.sendall(chunk)
        except OSError:
            return


def _is_whole(request: bytes) -> bool:
    head, separator, body = request.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return bool(separator)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with VaultServer(tmp_path_factory.mktemp("vault")) as running:
        yield running


MARKERS = {
    "vault": (b"POST /v1/secret/data/", b"PUT /v1/secret/data/"),
    "aws-secrets-manager": (b"secretsmanager.PutSecretValue", b"secretsmanager.UpdateSecret\r"),
    "aws-parameter-store": (b"AmazonSSM.PutParameter",),
}


@pytest.fixture(params=MARKERS)
def backend(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, openclaw: Openclaw
) -> str:
    """Give a backend that has an old value, and the variables that lead to it."""
    name = str(request.param)
    if name == "vault":
        server: VaultServer = request.getfixturevalue("vault")
        monkeypatch.setenv("VAULT_ADDR", server.address)
        monkeypatch.setenv("VAULT_TOKEN", server.token)
    else:
        for key, value in variables(request.getfixturevalue("moto").address).items():
            monkeypatch.setenv(key, value)
    openclaw("secrets", "set", "key", "--backend", name, input=OLD, check=0)
    return name


def led_through(relay: Relay, backend: str) -> dict[str, str]:
    """Return the environment in which a backend is reached by the relay."""
    address = f"http://127.0.0.1:{relay.port}"
    name = "VAULT_ADDR" if backend == "vault" else "AWS_ENDPOINT_URL"
    return {**os.environ, name: address}


def port_of(backend: str) -> int:
    """Return the port of the server itself."""
    name = "VAULT_ADDR" if backend == "vault" else "AWS_ENDPOINT_URL"
    return int(os.environ[name].rpartition(":")[2])


def interrupted(relay: Relay, backend: str, *, kill: bool) -> tuple[int, bytes]:
    """Set a new value by the relay; return the status and what was said."""
    with subprocess.Popen(
        [f"{SCRIPTS}/openclaw", "secrets", "set", "key", "--backend", backend],
        env=led_through(relay, backend),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        if kill:
            relay.act = running.kill
        _, err = running.communicate(NEW, timeout=120)
    assert relay.acted
    assert b"canary" not in err
    assert b"Traceback" not in err
    return running.returncode, err


def writes(state: Path) -> list[dict[str, object]]:
    """Return the records of writing."""
    lines = (state / "audit" / "trail.jsonl").read_text(encoding="ascii").splitlines()
    return [each for each in map(json.loads, lines) if each["kind"] == "secret_set"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_killed_write_is_announced_and_its_value_is_the_old_or_the_new_one(
    openclaw: Openclaw, backend: str, tmp_path: Path, *, after: bool
) -> None:
    relay = Relay(port_of(backend), MARKERS[backend], after=after)
    status, err = interrupted(relay, backend, kill=True)
    relay.close()
    assert (status, err) == (-9, b"")
    last = writes(tmp_path / "state")[-1]
    assert (last["outcome"], last["backend"]) == ("intent", backend)
    found = openclaw("secrets", "get", f"{backend}://key", check=0).out
    assert found == (NEW if after else OLD)  # no copy from before stands in its way
    openclaw("secrets", "set", "key", "--backend", backend, input=b"canary-next", check=0)
    assert openclaw("secrets", "get", f"{backend}://key", check=0).out == b"canary-next"
    assert openclaw("secrets", "audit", "verify").status == 0


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_write_without_an_answer_is_not_called_made_nor_failed(
    openclaw: Openclaw, backend: str, tmp_path: Path, *, after: bool
) -> None:
    relay = Relay(port_of(backend), MARKERS[backend], after=after)
    status, err = interrupted(relay, backend, kill=False)
    relay.close()
    assert status == 75
    assert b"whether it was changed there is not known" in err
    assert f"openclaw secrets get {backend}://key --no-cache".encode() in err
    assert writes(tmp_path / "state")[-1]["outcome"] == "unknown"
    found = openclaw("secrets", "get", f"{backend}://key", check=0).out
    assert found == (NEW if after else OLD)


def test_a_write_that_never_left_is_called_failed(openclaw: Openclaw, backend: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    address = f"http://127.0.0.1:{port}"  # nobody listens there any more
    name = "VAULT_ADDR" if backend == "vault" else "AWS_ENDPOINT_URL"
    line = ("secrets", "set", "key", "--backend", backend)
    done = openclaw(*line, input=NEW, env={name: address}, check=75)
    assert b"cannot be reached" in done.err
    assert b"not known" not in done.err
    assert openclaw("secrets", "get", f"{backend}://key", check=0).out == OLD
