"""Every command that changes something, with what is there before: for the campaigns."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from openclaw_cli.settings import DEFAULTS
from tests.faults.prepared import PASSPHRASE
from tests.faults.world import CANARY

NEW = CANARY + b"-new"


@dataclass(frozen=True)
class Case:
    """A command that changes something: its line, what it is given, and what is there before.

    `shows`: the file that is meant to hold a value. `resumes`: it changes several things, one after
    the other; interrupted, it leaves some of them, and the same line again does the rest.
    `told`: the kind of the record that must be there before any file is another.
    """

    line: tuple[str, ...]
    before: str = "some"
    given: bytes = b""
    inside: Callable[[], None] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    shows: str = ""
    resumes: bool = False
    told: str = ""

    def filled(self, template: str) -> tuple[str, ...]:
        """Return the line for a state directory that was copied from `template`, to beside it."""
        return tuple(_filled(word, template) for word in self.line)

    def environ(self, template: str) -> dict[str, str]:
        """Return the environment that it has besides."""
        return {name: _filled(text, template) for name, text in self.env.items()}

    def __str__(self) -> str:
        return " ".join(self.line[:2] + tuple(w for w in self.line[2:] if w.startswith("--")))


def _filled(text: str, template: str) -> str:
    return text.format(template=template, state=f"{os.path.dirname(template)}/state")


def tiny_segments() -> None:
    """Let the trail begin a new file at each record."""
    DEFAULTS["audit.segment-bytes"] = 100


IN_MEMORY = {"XDG_RUNTIME_DIR": "{state}/runtime"}
UNITS = {"XDG_CONFIG_HOME": "{state}/config", "PATH": "/nowhere"}  # and no systemd to ask
TEMPLATE = b"key: {{ openclaw://kept }}\n"

CASES = (
    Case(("secrets", "create", "first"), "nothing", NEW),
    Case(("secrets", "create", "second"), "some", NEW),
    Case(("secrets", "set", "kept"), "some", NEW),
    Case(("secrets", "set", "kept"), "some", NEW, tiny_segments),
    Case(("secrets", "describe", "kept", "--label", "owner=ada")),
    Case(("secrets", "expect", "kept", "--from", "local")),
    Case(("secrets", "rollback", "kept")),
    Case(("secrets", "delete", "kept")),
    Case(("secrets", "delete", "kept", "--purge", "--yes")),
    Case(("secrets", "restore", "gone")),
    Case(("secrets", "rotate", "kept", "--schedule", "weekly"), resumes=True),
    Case(("secrets", "import", "-", "--format", "dotenv"), given=b"A_KEY=%s\nB=2\n" % NEW),
    Case(("secrets", "copy", "kept", "copied")),
    Case(("secrets", "copy", "kept", "--environment", "staging")),
    Case(("secrets", "get", "kept")),
    Case(("secrets", "run", "--env", "KEY=kept", "--", "/bin/true")),
    Case(("secrets", "inject", "-", "--out", "{state}/out.txt"), given=TEMPLATE, shows="out.txt"),
    Case(("secrets", "export", "kept", "--format", "json")),
    Case(
        ("secrets", "export", "kept", "--format", "json", "--out", "{state}/out.json"),
        shows="out.json",
    ),
    Case(
        (
            *("secrets", "export", "kept", "--sealed", "--force"),
            *("--out", "{state}/job.bundle", "--key-file", "{state}/job.key"),
        ),
        resumes=True,
    ),
    Case(("secrets", "grant", "reader", "kept", "--uses", "3")),
    Case(("secrets", "revoke", "reader", "kept"), "granted"),
    Case(
        (
            *("secrets", "scan", "{state}/audit", "--update-baseline"),
            *("--baseline", "{state}/baseline.json"),
        )
    ),
    Case(
        ("secrets", "schedule", "install", "--systemd"),
        env=UNITS,
        resumes=True,
        told="schedule_install",
    ),
    Case(
        ("secrets", "schedule", "uninstall"),
        "units",
        env=UNITS,
        resumes=True,
        told="schedule_uninstall",
    ),
    Case(("secrets", "audit", "prune", "--before", "2099-01-01", "--yes"), "old"),
    Case(("secrets", "audit", "import", "{template}.job"), "job", resumes=True),
    Case(("secrets", "audit", "report", "--output", "{state}/out.md")),
    Case(("secrets", "audit", "export", "--output", "{state}/out.jsonl")),
    Case(("store", "init", "--no-recovery"), "nothing"),
    Case(("store", "rekey")),
    Case(("store", "slots", "add", "passphrase", "--passphrase-file", "-"), given=PASSPHRASE),
    Case(("store", "slots", "remove", "passphrase", "--yes"), "two-slots"),
    Case(("store", "restore", "{template}.backup", "--yes")),
    Case(("store", "backup", "{state}/copy.oc")),
    Case(("store", "unlock"), env=IN_MEMORY),
    Case(("store", "lock"), "unlocked", env=IN_MEMORY),
    Case(("store", "accept-rollback", "--yes"), "put-back"),
    Case(("config", "set", "store.versions", "5"), told="config_set"),
    Case(("config", "trust", "{state}/project", "--yes"), "project", told="config_trust"),
    Case(("config", "upgrade", "{state}/openclaw.json"), "old-words", told="config_upgrade"),
    Case(
        ("config", "convert", "{state}/openclaw.json", "--to", "toml", "-o", "{state}/out.toml"),
        "old-words",
    ),
    Case(("gateway", "install"), env=UNITS, told="gateway_install"),
    Case(("gateway", "uninstall"), "units", env=UNITS, resumes=True, told="gateway_uninstall"),
    Case(
        ("interop", "setup", "--gateway", "{template}.gateway/bin/openclaw", "--allow", "a-*"),
        "gateway",
        resumes=True,
        told="interop_setup",
    ),
    Case(("secrets", "set", "kept"), "anchored", NEW),
)
"""One line for each command that writes; a second one where it also begins a file of the trail."""

ELSEWHERE = {
    "secrets edit": "tests/unit/cli/test_editor.py",
    "secrets rotate": "tests/faults/test_rotation.py",
    "secrets refresh": "tests/faults/test_cache.py",
    "secrets migrate": "tests/faults/test_migrate_kill.py",
    "agents run": "tests/faults/test_gateway.py",
    "agents spawn": "tests/faults/test_gateway.py",
    "agents close": "tests/faults/test_gateway.py",
    "agents restart": "tests/faults/test_gateway.py",
    "agents stop": "tests/faults/test_gateway.py",
    "agents cleanup": "tests/faults/test_gateway.py",
    "agents node": "tests/integration/test_celery.py",
    "gateway run": "tests/faults/test_gateway.py",
    "gateway start": "tests/faults/test_gateway.py",
    "gateway stop": "tests/faults/test_gateway.py",
    "gateway restart": "tests/faults/test_gateway.py",
    "gateway reload": "tests/faults/test_gateway.py",
}
"""Commands that change what these campaigns do not see, and where they are interrupted instead."""
