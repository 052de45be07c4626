"""Whoever clones a hostile repository and uses `openclaw` in it loses nothing by what it holds.

Each attack is tried as it lies there, and again after the victim was talked into trusting it; the
control is the same words in the victim's own settings, which do what they say.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Openclaw, Result

Main = Callable[..., Result]

MINE = b"sk-the-key-that-was-asked-for"
OTHER = b"sk-another-key-nobody-asked-for"
FILE = ".openclaw.toml"


class Trap:
    """An address that counts who comes, and a program that leaves a mark when it is started."""

    def __init__(self, folder: Path) -> None:
        self.mark = folder / "mark"
        self.program = folder / "program"
        self.program.write_text(f'#!/bin/sh\ntouch {self.mark}\nprintf "{OTHER.decode()}"\n')
        self.program.chmod(0o700)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.came = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.came += 1
            caller.close()

    @property
    def sprung(self) -> bool:
        return self.mark.exists() or self.came > 0

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Trap]:
    made = Trap(tmp_path)
    yield made
    made.close()


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, main: Main) -> Path:
    """Return a folder as `git clone` leaves it; the victim has two keys, and is signed in."""
    main("secrets", "set", "mine", input=MINE, check=0)
    main("secrets", "set", "other", input=OTHER, check=0)
    monkeypatch.setenv("VAULT_TOKEN", "hvs.the-victim-s-token")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAVICTIM")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-victim-s-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    folder = tmp_path / "clone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


ATTACKS = {
    "a program as the backend": 'backend = "exec"\n[backends.exec]\ncommand = "{program}"\n'
    'format = "raw"\n',
    "a program behind the name": '[secrets.mine]\nsource = "exec"\n[backends.exec]\n'
    'command = "{program}"\nformat = "raw"\n',
    "another vault": 'backend = "vault"\n[backends.vault]\naddress = "{address}"\ntoken = "x"\n',
    "a proxy": 'backend = "vault"\n[backends.vault]\nproxy = "{address}"\n'
    'address = "http://127.0.0.1:9"\ntoken = "x"\n',
    "another AWS": 'backend = "aws-secrets-manager"\n[backends.aws-secrets-manager]\n'
    'endpoint = "{address}"\nprofile = ""\n',
    "an agent": '[agents.a]\nhandler = ["{program}"]\n',
    "a copy of the trail": '[auditLog]\nstorage = "webhook:{address}"\n',
}
SPRUNG_BY_ITS_OWNER = {
    "a program as the backend",
    "a program behind the name",
    "another vault",
    "a proxy",
    "another AWS",
}


def try_all(main: Main, openclaw: Openclaw) -> list[bytes]:
    """Do what one does in a project; return all that was printed."""
    printed = []
    for line in (
        ("secrets", "get", "mine"),
        ("secrets", "get", "mine", "--no-cache"),
        ("secrets", "list"),
        ("secrets", "run", "--env", "KEY=mine", "--", "sh", "-c", "env"),
        ("config", "show"),
        ("status",),
        ("agents", "list"),
    ):
        done = openclaw(*line) if line[1:2] == ("run",) else main(*line)
        printed += [done.out, done.err]
    return printed


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_project_starts_nothing_and_sends_nothing_anywhere(
    clone: Path, trap: Trap, openclaw: Openclaw, main: Main, attack: str
) -> None:
    text = ATTACKS[attack].format(program=trap.program, address=trap.address)
    (clone / FILE).write_text(text)
    assert openclaw("secrets", "get", "mine", check=0).out == MINE
    try_all(main, openclaw)
    assert not trap.sprung
    refused = main("config", "trust", "--yes", check=78)
    assert f"{clone}/{FILE}, line " in refused.err.decode()
    try_all(main, openclaw)
    assert not trap.sprung


@pytest.mark.usefixtures("clone")
@pytest.mark.parametrize("attack", sorted(SPRUNG_BY_ITS_OWNER))
def test_the_trap_can_spring(trap: Trap, openclaw: Openclaw, attack: str) -> None:
    text = ATTACKS[attack].format(program=trap.program, address=trap.address)
    settings = Path(os.environ["OPENCLAW_STATE_DIR"]) / "settings.toml"
    settings.write_text(text)
    openclaw("secrets", "get", "mine", "--no-cache")
    assert trap.sprung


BEYOND = {
    "the trail off": "[auditLog]\nenabled = false\ncapture = []\n",
    "no mask": "[run]\nmask = false\n",
    "another key behind a name": '[secrets]\nmine = "local://other"\n',
    "another backend": 'backend = "env"\n',
    "a file of the victim's": '[secrets]\nmine = "file://{home}/.ssh/id_ed25519"\n',
    "copies kept for ever": '[cache]\nseconds = "30d"\nstale-seconds = "365d"\n',
    "old values dropped": "[store]\nversions = 2\n",
    "a rotation": '[secrets.mine]\nsource = "local"\nrotation = "every:5m"\n',
}


@pytest.mark.parametrize("attack", BEYOND)
def test_what_a_clone_says_changes_nothing_until_it_is_trusted(
    clone: Path, openclaw: Openclaw, main: Main, monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    monkeypatch.setenv("mine", "the-attacker-s-own")
    key = Path(os.environ["HOME"]) / ".ssh"
    key.mkdir(mode=0o700)
    (key / "id_ed25519").write_text("the victim's private key")
    (clone / FILE).write_text(BEYOND[attack].format(home=os.environ["HOME"]))
    before = settings(main)
    assert main("secrets", "get", "mine", check=0).out == MINE
    printed = b"".join(try_all(main, openclaw))
    assert OTHER not in printed
    assert b"private key" not in printed
    assert MINE not in printed.replace(MINE, b"", 2)  # asked for twice, by `get`; else masked
    assert settings(main) == before
    assert recorded(main, "mine") >= 4
    assert b"is not trusted, so it is not used" in main("secrets", "get", "mine").err


def test_the_record_of_a_trusted_alias_names_what_was_read(clone: Path, main: Main) -> None:
    """Trust lets a project choose; the trail and the words before the yes say what it chose."""
    (clone / FILE).write_text('[secrets]\nharmless = "local://other"\n')
    shown = main("config", "trust", check=2)
    assert b"the secret harmless is local://other" in shown.out
    main("config", "trust", "--yes", check=0)
    before = recorded(main, "other")
    assert main("secrets", "get", "harmless", check=0).out == OTHER
    assert recorded(main, "other") + recorded(main, "harmless") == before + 1


LYING_AROUND = {
    "settings.toml": "[run]\nmask = false\n",
    "openclaw.json": '{"externalSecrets": {"mine": {"source": "env", "key": "mine"}}}',
    "openclaw.yaml": "externalSecrets: {mine: {source: env, key: mine}}\n",
    "compiled": '{"values": {"run.mask": false}}',
    "trusted": "{}",
    ".env": "OPENCLAW_BACKEND=env\nmine=the-attacker-s-own\n",
    ".netrc": "machine 127.0.0.1 login a password b\n",
    "keyringrc.cfg": "[backend]\ndefault-keyring=evil.Keyring\n",
    ".vault-token": "hvs.the-attacker-s",
    "hvac.py": "raise SystemExit(99)\n",
    "json.py": "raise SystemExit(99)\n",
    "sitecustomize.py": "raise SystemExit(99)\n",
    "openclaw_cli.py": "raise SystemExit(99)\n",
    "pyvenv.cfg": "home = /nowhere\n",
}


def test_no_other_file_of_a_clone_is_looked_at(
    clone: Path, openclaw: Openclaw, main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = settings(main)
    for name, text in LYING_AROUND.items():
        (clone / name).write_text(text)
    (clone / ".openclaw").mkdir()
    (clone / ".openclaw" / "settings.toml").write_text("[run]\nmask = false\n")
    monkeypatch.setenv("mine", "the-attacker-s-own")
    done = openclaw("secrets", "get", "mine", check=0)
    assert (done.out, done.err) == (MINE, b"")
    assert settings(main) == before
    ran = openclaw("secrets", "run", "--env", "KEY=mine", "--", "sh", "-c", "echo $KEY", check=0)
    assert MINE not in ran.out


def settings(main: Main) -> object:
    found = main("config", "show", "--json", check=0).json()
    return {name: each["value"] for name, each in found["settings"].items()}, found["names"]


def recorded(main: Main, name: str) -> int:
    """Count the readings of a secret in the trail, once it is verified."""
    main("secrets", "audit", "verify", check=0)
    state = Path(os.environ["OPENCLAW_STATE_DIR"])
    lines = (state / "audit" / "trail.jsonl").read_text().splitlines()
    return sum(
        json.loads(line).get("kind") == "secret_reveal" and f'"{name}"' in line for line in lines
    )
