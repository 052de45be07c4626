"""A gateway's package as npm lays it out, a shell script for its program, and a state for it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

PATHS = (
    "gateway.auth.token",
    "models.providers.*.apiKey",
    "models.providers.*.headers.*",
    "channels.*.botToken",
)
AGREES = 'case "$1 $2" in "secrets audit") echo \'{"findings":[]}\';; esac; exit 0'

CONFIG = """// mine
{
  gateway: { port: 1, auth: { mode: "token", token: "gw-token-1" } }, // the token
  models: { providers: {
    corp: { baseUrl: "http://x", apiKey: "${CORP_KEY}" },
    other: { apiKey: 'k\\'2', /* why */ headers: { "X-Api-Key": "hdr-3", Accept: "*/*" }, },
  } },
  hooks: { token: "hook-4" },
}
"""
DOTENV = 'CORP_KEY=corp-5\r\n# note\r\nLANG_X=de\r\nMY_KEY="k\'2"\r\nSAME_KEY="hdr-3"\r\n'
PROFILES = {
    "version": 1,
    "profiles": {
        "anthropic:default": {"type": "token", "provider": "anthropic", "token": "tok-6"},
        "google:me": {"type": "oauth", "provider": "google", "access": "a"},
    },
}
VALUES = {
    "gateway/auth/token": b"gw-token-1",
    "corp-api-key": b"corp-5",
    "other-api-key": b"k'2",
    "models/providers/other/headers/X-Api-Key": b"hdr-3",
    "profiles/anthropic:default": b"tok-6",
    "profiles/ops/x:y": b"row-7",
}
"""What a migration of `state` keeps, by name."""


def installed(place: Path, version: str = "2026.9.6", answer: str = AGREES) -> Path:
    """Lay out the package; return the folder of its `openclaw`."""
    package = place / "lib" / "node_modules" / "openclaw"
    matrix = package / "docs" / "reference"
    matrix.mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"name": "openclaw", "version": version}))
    entries = [{"path": each, "configFile": "openclaw.json"} for each in PATHS]
    name = "secretref-user-supplied-credentials-matrix.json"
    (matrix / name).write_text(json.dumps({"entries": entries}))
    program = package / "openclaw.sh"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    folder = place / "bin"
    folder.mkdir()
    (folder / "openclaw").symlink_to(program)
    return folder


def state(root: Path) -> None:
    """Make a state directory with plain text in every kind of file."""
    root.mkdir(mode=0o700, exist_ok=True)
    (root / "openclaw.json").write_text(CONFIG)
    (root / ".env").write_bytes(DOTENV.encode())
    (root / "openclaw.json.bak").write_text(CONFIG)
    agent = root / "agents" / "main" / "agent"
    agent.mkdir(parents=True)
    (agent / "auth-profiles.json").write_text(json.dumps(PROFILES))
    models = {"providers": {"other": {"apiKey": "k'2", "models": []}}}
    (agent / "models.json").write_text(json.dumps(models, indent=1))
    auth_store(root / "agents" / "ops" / "agent" / "openclaw-agent.sqlite", "row-7")


def auth_store(path: Path, key: str) -> None:
    """Make the database of an agent with one auth profile."""
    path.parent.mkdir(parents=True)
    profile = {"type": "api_key", "provider": "x", "key": key}
    with sqlite3.connect(path) as store:
        store.execute("CREATE TABLE auth_profile_store (store_key, store_json, updated_at)")
        row = ("primary", json.dumps({"version": 1, "profiles": {"x:y": profile}}), 1)
        store.execute("INSERT INTO auth_profile_store VALUES (?, ?, ?)", row)
    store.close()


def row(path: Path) -> str:
    """Return the text of the one row."""
    with sqlite3.connect(path) as store:
        found = store.execute("SELECT store_json FROM auth_profile_store").fetchone()[0]
    store.close()
    return str(found)
