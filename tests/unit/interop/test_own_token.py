"""Signing in to a gateway whose own token has just changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

from openclaw_cli.home import Home
from openclaw_cli.interop.own_token import configuration, sign_ins
from tests.conftest import Openclaw

REFERENCE = {"source": "exec", "provider": "ours", "id": "gw"}
PROVIDER = {"source": "exec", "command": "/b/openclaw-resolver", "args": ["--allow", "gw"]}
WHOLE = {
    "gateway": {"port": 7, "auth": {"mode": "token", "token": REFERENCE}, "remote": {"token": "s"}},
    "secrets": {"providers": {"ours": PROVIDER}},
    "models": {"providers": {"x": {"apiKey": "plain"}}},
}


def test_it_is_signed_in_with_the_version_before_and_nothing_else_is_written_down() -> None:
    found = configuration(WHOLE)
    assert found is not None
    name, made = found
    assert name == "gw"
    assert made == {
        "gateway": {"port": 7, "auth": {"mode": "token", "token": REFERENCE}},
        "secrets": {"providers": {"ours": {**PROVIDER, "args": ["--allow", "gw", "--previous"]}}},
    }


def test_without_a_reference_to_us_there_is_nothing_to_do() -> None:
    assert configuration({}) is None
    assert configuration({"gateway": {"auth": {"token": "plain"}}}) is None
    other = {**WHOLE, "secrets": {"providers": {"ours": {"command": "/b/vault-resolver"}}}}
    assert configuration(other) is None


def test_the_old_one_is_tried_first_where_it_is_what_changed(tmp_path: Path) -> None:
    config = tmp_path / "openclaw.json"
    config.write_text(json.dumps(WHOLE))
    home = Home(str(tmp_path / "state"))
    with sign_ins(home, str(config), ["gw"], "interop") as ways:
        path = Path(ways[0])
        assert ways == [str(path), ""]
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()
    with sign_ins(home, str(config), ["other"], "interop") as ways:
        assert ways == ["", str(path)]
    config.write_text("{")
    with sign_ins(home, str(config), ["gw"], "interop") as ways:
        assert ways == [""]


def test_the_resolver_hands_out_the_version_before_and_records_it(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "gw", input=b"old", check=0)
    request = b'{"protocolVersion":1,"provider":"x","ids":["gw"]}'
    line = ("openclaw-resolver", request)
    only = openclaw("--previous", program=line[0], input=line[1], check=0).json()
    assert only["values"] == {"gw": "old"}
    openclaw("secrets", "set", "gw", input=b"new", check=0)
    assert openclaw(program=line[0], input=line[1], check=0).json()["values"] == {"gw": "new"}
    before = openclaw("--previous", program=line[0], input=line[1], check=0).json()
    assert before["values"] == {"gw": "old"}
    trail = os.path.join(os.environ["OPENCLAW_STATE_DIR"], "audit", "trail.jsonl")
    with open(trail, encoding="utf-8") as file:
        last = json.loads(file.readlines()[-1])
    assert (last["kind"], last["version"], last["purpose"]) == ("secret_reveal", "1", "resolve")
