"""C21: from where, by whom and when a secret is read; else an alert, or a refusal."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Openclaw

SLOW = {"OPENCLAW_NO_HOT": "1"}
ROADS = pytest.mark.parametrize("road", [{}, SLOW], ids=["fast", "slow"])
AFAR = {"SSH_CONNECTION": "192.0.2.7 40000 192.0.2.1 22"}
C21 = {"secrets": {"key": {"source": "local", "expected-from": ["10.0.0.0/8", "local"]}}}


@pytest.fixture(autouse=True)
def _kept(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "key", input=b"value", check=0)
    openclaw("secrets", "set", "other", input=b"value", check=0)


def last(tmp_path: Path) -> dict[str, Any]:
    line = (tmp_path / "state/audit/trail.jsonl").read_text().splitlines()[-1]
    found: dict[str, Any] = json.loads(line)
    return found


@ROADS
def test_as_it_is_written_an_unexpected_reading_is_an_alert(
    openclaw: Openclaw, tmp_path: Path, road: dict[str, str]
) -> None:
    (tmp_path / "state" / "openclaw.json").write_text(json.dumps(C21))
    for _ in range(2):  # the second time from the compiled settings
        assert openclaw("secrets", "get", "key", env=road, check=0).out == b"value"
        assert "unexpected" not in last(tmp_path)
    for _ in range(2):
        assert openclaw("secrets", "get", "key", env={**road, **AFAR}, check=0).out == b"value"
        reason = "from 192.0.2.7, expected from 10.0.0.0/8, local"
        assert last(tmp_path)["unexpected"] == reason
    found = openclaw("secrets", "audit", "--json").json()["findings"]
    assert [(each["rule"], each["count"]) for each in found] == [("unexpected", 2)]
    assert "from 192.0.2.7, expected from" in found[0]["what"]
    status = openclaw("status", "--check", "--json", check=10).json()
    assert "unexpected" in [each["what"] for each in status["findings"]]


@ROADS
def test_where_it_is_enforced_it_is_refused_by_every_way(
    openclaw: Openclaw, tmp_path: Path, road: dict[str, str]
) -> None:
    enforced = {"secrets": {"key": {**C21["secrets"]["key"], "enforce": True}}}
    (tmp_path / "state" / "openclaw.json").write_text(json.dumps(enforced))
    environ = {**road, **AFAR}
    done = openclaw("secrets", "get", "key", env=environ, check=6)
    assert (done.out, b"not to be read from 192.0.2.7" in done.err) == (b"", True)
    record = last(tmp_path)
    assert (record["outcome"], "version" in record) == ("denied", False)
    assert record["unexpected"].startswith("from 192.0.2.7")
    openclaw("secrets", "get", "local://key", env=environ, check=6)
    openclaw("secrets", "get", "key?version=1", env=environ, check=6)
    openclaw("secrets", "run", "--env", "K=key", "--", "true", env=environ, check=125)
    request = b'{"protocolVersion":1,"provider":"x","ids":["key","other"]}'
    answer = openclaw("secrets", "resolve", input=request, env=environ, check=0).json()
    assert answer["values"] == {"other": "value"}
    assert answer["errors"]["key"]["code"] == "DENIED"
    openclaw("secrets", "export", "key", env=environ, check=6)
    openclaw("secrets", "inject", input=b"{{ openclaw://key }}", env=environ, check=6)
    assert openclaw("secrets", "get", "key", env=road, check=0).out == b"value"


def test_the_audit_explains_why_it_was_refused(openclaw: Openclaw) -> None:
    openclaw("secrets", "expect", "key", "--from", "10.0.0.0/8", "--enforce", check=0)
    openclaw("secrets", "get", "key", env=AFAR, check=6)
    told = openclaw("secrets", "audit").out
    assert b"a reading of key was refused: from 192.0.2.7, expected from 10.0.0.0/8" in told


def test_a_reference_that_a_name_leads_to_is_the_same_secret(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    entry = {"source": "env", "key": "OUTSIDE", "expected-from": ["local"], "enforce": True}
    document = {"externalSecrets": {"outside": entry}}
    (tmp_path / "state" / "openclaw.json").write_text(json.dumps(document))
    environ = {**AFAR, "OUTSIDE": "value"}
    openclaw("secrets", "get", "outside", env=environ, check=6)
    openclaw("secrets", "get", "env://OUTSIDE", env=environ, check=6)
    assert openclaw("secrets", "get", "env://OUTSIDE", env={"OUTSIDE": "x"}, check=0).out == b"x"


def test_the_command_writes_it_shows_it_and_takes_it_away(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    path = tmp_path / "state" / "settings.toml"
    path.write_text("# mine\n[store]\nversions = 5  # few\n")
    openclaw("secrets", "expect", "key", "--reader", "python3", "--hours", "9-17", check=0)
    openclaw("secrets", "expect", "team/key", "--from", "cron", "--scope", "read", check=0)
    wanted = {"readers": ["python3"], "hours": ["09:00-17:00"]}
    assert tomllib.loads(path.read_text())["expected"]["key"] == wanted
    assert openclaw("secrets", "expect", "key", "--json").json()["expected"] == wanted
    openclaw("secrets", "expect", "key", "--from", "local", "--enforce", check=0)
    found = tomllib.loads(path.read_text())
    assert found["expected"]["key"] == {"from": ["local"], "enforce": True}
    assert found["expected"]["team/key"] == {"from": ["cron"], "scope": "read"}
    assert path.read_text().startswith("# mine\n[store]\nversions = 5  # few\n")
    openclaw("secrets", "expect", "key", "--clear", check=0)
    assert list(tomllib.loads(path.read_text())["expected"]) == ["team/key"]
    assert openclaw("secrets", "expect", "key", check=0).out.startswith(b"nothing is expected")
    said = openclaw("secrets", "audit", "--action", "expect", "--json").json()["events"]
    made = [event for event in said if event["name"] == "key" and event["outcome"] == "ok"]
    assert [event["expected"] for event in made] == [
        wanted,
        {"from": ["local"], "enforce": True},
        {},
    ]


@pytest.mark.parametrize(
    "options",
    [("--from", "nowhere.example"), ("--hours", "soon"), ("--enforce",), ("--clear", "--from=ci")],
)
def test_a_slip_changes_nothing(
    openclaw: Openclaw, tmp_path: Path, options: tuple[str, ...]
) -> None:
    openclaw("secrets", "expect", "key", *options, check=2)
    assert not (tmp_path / "state" / "settings.toml").exists()


@pytest.mark.parametrize(
    "text",
    [
        '[expected."key"]\nfrom = ["nowhere.example"]\n',
        '[expected."key"]\nform = ["local"]\n',
        'expected = "key"\n',
        "[expected]\nkey = 7\n",
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(
    openclaw: Openclaw, tmp_path: Path, text: str
) -> None:
    (tmp_path / "state" / "settings.toml").write_text(text)
    done = openclaw("config", "check", check=78)
    assert b"settings.toml:" in done.out
    openclaw("secrets", "get", "key", check=78)


def test_a_mistake_in_what_is_published_is_named_too(openclaw: Openclaw, tmp_path: Path) -> None:
    document = {"secrets": {"key": {"source": "local", "expected-from": "nowhere.example"}}}
    path = tmp_path / "openclaw.json"
    path.write_text(json.dumps(document))
    assert b"neither a network nor a word" in openclaw("config", "check", str(path), check=78).out
