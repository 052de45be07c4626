"""A program that is restarted all the time, or started fifty times at once, spares its backend."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import SCRIPTS
from tests.hostile_http import HostileServer
from tests.integration.moto_server import variables

VAULT, AWS = "vault://key", "aws-secrets-manager://key"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.parametrize("reference", [VAULT, AWS]),
]
ANSWERS = {
    VAULT: b'{"data": {"data": {"value": "sk-far"}, "metadata": {"version": 1}}}',
    AWS: b'{"Name": "key", "VersionId": "0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f", '
    b'"SecretString": "sk-far", "VersionStages": ["AWSCURRENT"]}',
}


def get(reference: str, server: HostileServer) -> subprocess.CompletedProcess[bytes]:
    known = {"VAULT_ADDR": server.address, "VAULT_TOKEN": "hvs.x"} | variables(server.address)
    return subprocess.run(
        [f"{SCRIPTS}/openclaw", "secrets", "get", reference],
        env={**os.environ, **known},
        capture_output=True,
        check=False,
    )


def test_two_hundred_restarts_against_a_throttle_ask_at_most_five_times(reference: str) -> None:
    with HostileServer("429") as server:
        statuses = {get(reference, server).returncode for _ in range(200)}
        assert statuses == {75}
        assert 1 <= len(server.requests) <= 5


def test_fifty_at_once_ask_once(reference: str) -> None:
    with HostileServer("said") as server:
        server.answer = ANSWERS[reference]
        with ThreadPoolExecutor(50) as threads:
            found = list(threads.map(lambda _: get(reference, server), range(50)))
        assert {each.stdout for each in found} == {b"sk-far"}, found[0]
        assert len(server.requests) == 1


def test_without_copies_each_asks(reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what keeps the others from asking is the copy."""
    monkeypatch.setenv("OPENCLAW_CACHE_SECONDS", "0")
    with HostileServer("said") as server:
        server.answer = ANSWERS[reference]
        for _ in range(3):
            assert get(reference, server).stdout == b"sk-far"
        assert len(server.requests) == 3
