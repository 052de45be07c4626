"""When an alert begins, when it is over, and that whoever is to be told is told."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from openclaw_cli.agents.spec import Monitoring
from openclaw_cli.gateway.alerts import (
    CONCURRENCY,
    KEPT,
    ROTATION,
    UNEXPECTED,
    Alerts,
    Change,
    Known,
    tell,
)
from tests.model_server import Scripted

NOON = 1_800_000_000.0


def test_an_agent_must_be_above_its_share_for_the_whole_time() -> None:
    alerts = Alerts(Monitoring())
    busy = Known(load={"a": 0.95, "b": 0.9})
    assert alerts.judge(busy, NOON) == []
    assert alerts.judge(busy, NOON + 29) == []
    assert alerts.judge(busy, NOON + 30) == [Change(CONCURRENCY, True, ("a",))]
    assert alerts.judge(busy, NOON + 40) == []
    assert alerts.judge(Known(load={"a": 0.5}), NOON + 45) == [Change(CONCURRENCY, False, ())]
    assert alerts.judge(busy, NOON + 50) == []  # the time begins anew


def test_an_unexpected_access_is_told_at_once_and_over_after_five_minutes() -> None:
    alerts = Alerts(Monitoring())
    one = Known(unexpected={"db by mailer": NOON})
    assert alerts.judge(one, NOON) == [Change(UNEXPECTED, True, ("db by mailer",))]
    two = Known(unexpected={"db by mailer": NOON, "key by clerk": NOON + 5})
    assert alerts.judge(two, NOON + 5) == [
        Change(UNEXPECTED, True, ("db by mailer", "key by clerk"))
    ]
    assert alerts.judge(two, NOON + 301) == []  # one of two is over: nothing new
    assert alerts.judge(two, NOON + 306) == [Change(UNEXPECTED, False, ())]


def test_a_failed_rotation_is_told_until_it_is_mended() -> None:
    alerts = Alerts(Monitoring())
    assert alerts.judge(Known(failed=["db"]), NOON) == [Change(ROTATION, True, ("db",))]
    assert alerts.judge(Known(), NOON + 5) == [Change(ROTATION, False, ())]


def test_the_command_and_the_webhook_are_told(tmp_path: Path) -> None:
    script = "import os, sys; f = open(sys.argv[1], 'w');"
    script += " f.write(os.environ['OPENCLAW_ALERT'] + sys.stdin.read())"
    hook = Scripted((200, {}, {}), (500, {}, {}))
    out = tmp_path / "told"
    wanted = Monitoring(
        command=(sys.executable, "-c", script, str(out)), webhook=f"{hook.address}/alert"
    )
    change = Change(ROTATION, True, ("db",))
    try:
        assert tell(wanted, change) == []
        assert out.read_text().startswith('rotation_failed{"alert": "rotation_failed"')
        assert hook.requests[0][2]["about"] == ["db"]
        assert tell(wanted, change) == ["the webhook at 127.0.0.1 answers 500"]
    finally:
        hook.close()


def test_the_command_is_given_little_of_the_gateways_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-7c21")
    out = tmp_path / "told"
    script = "import json, os, sys; open(sys.argv[1], 'w').write(json.dumps(dict(os.environ)))"
    wanted = Monitoring(command=(sys.executable, "-c", script, str(out)))
    assert tell(wanted, Change(ROTATION, True, ("db",))) == []
    given = json.loads(out.read_text())
    assert set(given) <= {*KEPT, "OPENCLAW_ALERT", "LC_CTYPE"}
    assert given["PATH"] == os.environ["PATH"]


def test_a_command_that_fails_is_said() -> None:
    change = Change(ROTATION, False, ())
    assert tell(Monitoring(command=("false",)), change) == [
        "the alert's command ended with status 1"
    ]
    assert tell(Monitoring(command=("/no/such",)), change) == [
        "the alert's command cannot be started: no such file or directory"
    ]
    assert json.loads(json.dumps(change.plain()))["state"] == "resolved"
