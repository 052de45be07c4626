"""E7: who did what to which secret in a time, with totals, and what looks wrong."""

from __future__ import annotations

import subprocess

from tests.conftest import Openclaw


def shell(line: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["bash", "-c", line], capture_output=True, check=False)


def used(openclaw: Openclaw) -> None:
    for name in ("openai-api-key", "db-password"):
        openclaw("secrets", "create", name, input=b"value", check=0)
    for _ in range(3):
        openclaw("secrets", "get", "openai-api-key", check=0)


def test_e7_as_it_is_typed(openclaw: Openclaw) -> None:
    used(openclaw)
    done = shell('openclaw secrets audit --period="24h"')
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert sum(" get " in line and "openai-api-key" in line for line in lines) == 3
    assert "6 events, 2 secrets, 3 read, 2 changed, 0 failed, by 1 actor" in lines
    assert lines[-1] == "nothing looks wrong"


def test_e7_one_secret(openclaw: Openclaw) -> None:
    used(openclaw)
    done = shell('openclaw secrets audit --period="24h" --name="db-password" --json')
    assert b'"by_action": {"create": 1}' in done.stdout


def test_e7_says_from_where(openclaw: Openclaw) -> None:
    used(openclaw)
    shell('SSH_CONNECTION="10.1.2.3 5000 10.0.0.1 22" openclaw secrets get openai-api-key')
    assert b"10.1.2.3" in shell("openclaw secrets audit").stdout


def test_e7_a_new_reader_looks_wrong(openclaw: Openclaw) -> None:
    used(openclaw)
    for _ in range(2):
        openclaw("secrets", "get", "openai-api-key", check=0)
    openclaw("secrets", "grant", "stranger", "openai-api-key", check=0)
    shell("OPENCLAW_AGENT=stranger openclaw secrets get openai-api-key")
    text = shell('openclaw secrets audit --period="24h"').stdout.decode()
    assert "what looks wrong:\n  a new reader of openai-api-key: agent stranger" in text


def test_e7_a_secret_that_is_asked_for_after_its_deletion_looks_wrong(openclaw: Openclaw) -> None:
    used(openclaw)
    openclaw("secrets", "delete", "db-password", check=0)
    openclaw("secrets", "get", "db-password", check=3)
    text = shell('openclaw secrets audit --period="24h"').stdout.decode()
    assert "db-password was asked for after it was deleted" in text


def test_e7_and_the_proof_of_it(openclaw: Openclaw) -> None:
    used(openclaw)
    done = shell("openclaw secrets audit verify")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"verified: records 1 to 8, in 1 file\n")
