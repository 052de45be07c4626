"""The resolver beside backends that hang: it is done in time, and they take only their own ids."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Openclaw
from tests.integration.vault_server import ROOT, VaultServer

pytestmark = pytest.mark.integration

SECONDS = 4.0  # the resolver's own limit, from its start to its end
ROADS = pytest.mark.parametrize("slow_road", [False, True], ids=["fast road", "slow road"])


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    """Make a program that notes its number, tells a child of it to wait, and never answers."""
    program = tmp_path / "hanging"
    program.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/started\nsleep 600 &\nsleep 600\n")
    program.chmod(0o700)
    return program


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    """Run a real server, which is stopped: it takes connections, and says nothing more."""
    with VaultServer(tmp_path_factory.mktemp("vault")) as server:
        server.signal(signal.SIGSTOP)
        yield server
        server.signal(signal.SIGCONT)


def settings(text: str) -> None:
    path = Path(os.environ["OPENCLAW_STATE_DIR"], "settings.toml")
    path.write_text(text)


def ask(openclaw: Openclaw, ids: list[str], *, slow_road: bool, **variables: str) -> Any:  # noqa: ANN401
    """Return the answer, and for how long the process was."""
    environment: dict[str, str | None] = {**variables, "HOME": None, "PATH": None}
    if slow_road:
        environment["OPENCLAW_NO_HOT"] = "1"
    request = {"protocolVersion": 1, "provider": "x", "ids": ids}
    began = time.monotonic()
    done = openclaw(
        program="openclaw-resolver", input=json.dumps(request).encode(), env=environment, check=0
    )
    seconds = time.monotonic() - began
    assert done.err == b""
    return done.json(), seconds


def alive(folder: Path) -> list[int]:
    """Return the process groups of hanging programs that are not gone, nor going."""
    started = [int(each) for each in (folder / "started").read_text().split()]
    assert started
    until = time.monotonic() + 5  # until the machine's first process has seen that they ended
    while (there := [each for each in started if _is_there(each)]) and time.monotonic() < until:
        time.sleep(0.05)
    return there


def _is_there(group: int) -> bool:
    with suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


@ROADS
@pytest.mark.parametrize("format_", ["json", "raw"])
def test_local_ids_are_answered_and_a_backend_that_hangs_fails_alone(
    openclaw: Openclaw,
    vault: VaultServer,
    hanging: Path,
    format_: str,
    slow_road: bool,
) -> None:
    mine = {f"key-{number}": f"value-{number}" for number in range(256)}
    openclaw("secrets", "import", "--format", "json", "-", input=json.dumps(mine).encode(), check=0)
    settings(f'[backends.exec]\ncommand = "{hanging}"\nformat = "{format_}"\ntimeout = 60\n')
    far = [
        *(f"exec://a/{number}" for number in range(128)),
        *(f"vault://b/{number}" for number in range(128)),
    ]
    variables = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": ROOT}
    answer, seconds = ask(openclaw, [*mine, *far], slow_road=slow_road, **variables)
    assert seconds < SECONDS
    assert answer["values"] == mine
    assert set(answer["errors"]) == set(far)
    assert {each["code"] for each in answer["errors"].values()} == {"TEMPORARY"}
    assert alive(hanging.parent) == []
    # The next one does not wait for them as well.
    answer, seconds = ask(openclaw, ["key-1", *far], slow_road=slow_road, **variables)
    assert seconds < SECONDS / 2
    assert (len(answer["values"]), len(answer["errors"])) == (1, len(far))


@ROADS
def test_several_that_hang_one_after_another_take_no_more_time_than_one(
    openclaw: Openclaw,
    vault: VaultServer,
    hanging: Path,
    slow_road: bool,
) -> None:
    openclaw("secrets", "set", "mine", input=b"value", check=0)
    settings(f'backend = "exec,vault,local"\n[backends.exec]\ncommand = "{hanging}"\n')
    variables = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": ROOT}
    answer, seconds = ask(openclaw, ["mine", "other"], slow_road=slow_road, **variables)
    assert seconds < SECONDS
    assert answer["values"] == {"mine": "value"}
    assert list(answer["errors"]) == ["other"]
    assert alive(hanging.parent) == []


def test_one_that_is_slow_and_in_time_is_waited_for(openclaw: Openclaw, tmp_path: Path) -> None:
    program = tmp_path / "slow"
    program.write_text("#!/bin/sh\nsleep 1\necho late\n")
    program.chmod(0o700)
    openclaw("secrets", "set", "mine", input=b"value", check=0)
    settings(f'[backends.exec]\ncommand = "{program}"\nformat = "raw"\n')
    answer, _ = ask(openclaw, ["mine", "exec://a"], slow_road=False)
    assert answer["values"] == {"mine": "value", "exec://a": "late"}
