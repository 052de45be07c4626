"""C19: each environment has its own secrets, trail and settings; copying is on purpose."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS, Openclaw, Result

Main = Callable[..., Result]
SLOW = {"OPENCLAW_NO_HOT": "1"}
ROADS = pytest.mark.parametrize("road", [{}, SLOW], ids=["fast", "slow"])
PROD = ("--environment", "prod")
STAGING = ("--environment", "staging")


@pytest.fixture
def kept(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "key", input=b"of default", check=0)
    openclaw(*STAGING, "secrets", "set", "key", input=b"of staging", check=0)
    openclaw(*PROD, "secrets", "set", "key", input=b"of prod", check=0)


@ROADS
@pytest.mark.usefixtures("kept")
def test_the_same_name_is_another_secret_in_each(openclaw: Openclaw, road: dict[str, str]) -> None:
    get = ("secrets", "get", "key")
    assert openclaw(*get, env=road).out == b"of default"
    assert openclaw(*PROD, *get, env=road).out == b"of prod"
    assert openclaw(*get, *STAGING, env=road).out == b"of staging"
    assert openclaw(*get, env={**road, "OPENCLAW_ENVIRONMENT": "prod"}).out == b"of prod"
    won = openclaw(*STAGING, *get, env={**road, "OPENCLAW_ENVIRONMENT": "prod"})
    assert won.out == b"of staging"
    again = openclaw("--environment", "default", *get, env={"OPENCLAW_ENVIRONMENT": "prod"})
    assert again.out == b"of default"


@ROADS
@pytest.mark.usefixtures("kept")
def test_what_only_one_has_the_others_have_not(openclaw: Openclaw, road: dict[str, str]) -> None:
    openclaw("secrets", "set", "alone", input=b"x", env=road, check=0)
    assert openclaw(*PROD, "secrets", "get", "alone", env=road).status == 3
    assert b"alone" not in openclaw(*PROD, "secrets", "list", env=road).out
    line = ("secrets", "run", "--env", "K=alone", "--", "true")
    assert openclaw(*PROD, *line, env=road).status == 3


@pytest.mark.usefixtures("kept")
def test_each_has_a_key_and_a_trail_of_its_own(openclaw: Openclaw, tmp_path: Path) -> None:
    state = tmp_path / "state"
    bases = [state, state / "environments/prod", state / "environments/staging"]
    assert len({(base / "secrets/key").read_text() for base in bases}) == 3
    openclaw(*PROD, "secrets", "get", "key", check=0)
    counts = [(base / "audit/trail.jsonl").read_bytes().count(b"secret_reveal") for base in bases]
    assert counts == [0, 1, 0]
    answer = openclaw(*PROD, "status", "--json").json()
    assert answer["environment"] == "prod"
    assert answer["store"]["path"].startswith(str(bases[1]))


def test_another_environments_store_that_is_missing_is_named(openclaw: Openclaw) -> None:
    done = openclaw("--environment", "porduction", "secrets", "get", "key", check=3)
    assert b"no store yet in the environment porduction" in done.err
    for name in ("a/b", "..", "-x"):
        assert openclaw(f"--environment={name}", "secrets", "get", "key").status in (2, 78)


@ROADS
@pytest.mark.usefixtures("kept")
def test_settings_of_one_are_not_those_of_another(openclaw: Openclaw, road: dict[str, str]) -> None:
    openclaw("config", "set", "store.versions", "20", check=0)
    openclaw(*PROD, "config", "set", "store.versions", "50", check=0)

    def versions(*words: str) -> int:
        found = openclaw(*words, "config", "show", "--json", env=road, check=0).json()
        return int(found["settings"]["store.versions"]["value"])

    assert (versions(), versions(*PROD), versions(*STAGING)) == (20, 50, 20)


@ROADS
@pytest.mark.usefixtures("kept")
def test_where_secrets_are_is_said_for_each_environment_alone(
    openclaw: Openclaw, tmp_path: Path, road: dict[str, str]
) -> None:
    state = tmp_path / "state"
    common = {"externalSecrets": {"outside": {"source": "env", "key": "OUTSIDE"}}}
    (state / "openclaw.json").write_text(json.dumps(common))
    environ = {**road, "OUTSIDE": "leaked", "PROD_OUTSIDE": "of prod"}
    get = ("secrets", "get", "outside")
    assert openclaw(*get, env=environ).out == b"leaked"
    for _ in range(2):  # the second time from the compiled settings
        assert openclaw(*STAGING, *get, env=environ).status == 3
    own = {"externalSecrets": {"outside": {"source": "env", "key": "PROD_OUTSIDE"}}}
    (state / "environments/prod/openclaw.json").write_text(json.dumps(own))
    for _ in range(2):
        assert openclaw(*PROD, *get, env=environ).out == b"of prod"
    (state / "settings.toml").write_text('backend = "env"\n')
    assert openclaw("secrets", "get", "OUTSIDE", env=environ).out == b"leaked"
    assert openclaw(*STAGING, "secrets", "get", "OUTSIDE", env=environ).status == 3


@pytest.mark.usefixtures("kept")
def test_a_copy_goes_over_on_purpose_and_is_in_both_trails(openclaw: Openclaw) -> None:
    done = openclaw(*STAGING, "secrets", "copy", "key", "key-of-staging", *PROD, check=0)
    assert b"copied" in done.err
    assert openclaw(*PROD, "secrets", "get", "key-of-staging").out == b"of staging"
    assert openclaw(*STAGING, "secrets", "get", "key-of-staging").status == 3
    read = openclaw(*STAGING, "secrets", "audit", "--action", "copy", "--json").json()
    assert [event["name"] for event in read["events"]] == ["key"]
    made = openclaw(*PROD, "secrets", "audit", "--action", "create", "--json").json()
    assert "key-of-staging" in [event["name"] for event in made["events"]]


@pytest.mark.usefixtures("kept")
def test_a_copy_does_not_overwrite_unless_told(openclaw: Openclaw) -> None:
    copy = (*STAGING, "secrets", "copy", "key", *PROD)
    assert openclaw(*copy).status == 11
    assert openclaw(*copy, "--overwrite").status == 2
    assert openclaw(*PROD, "secrets", "get", "key").out == b"of prod"
    openclaw(*copy, "--overwrite", "--yes", check=0)
    assert openclaw(*PROD, "secrets", "get", "key").out == b"of staging"
    assert openclaw(*STAGING, "secrets", "copy", "key", *STAGING).status == 2
    openclaw(*PROD, "secrets", "copy", "key", "--environment", "default", check=11)
    openclaw(*STAGING, "secrets", "copy", "--all", "--environment", "new", check=0)
    assert openclaw("--environment", "new", "secrets", "get", "key").out == b"of staging"


DESTRUCTIVE = [
    ("secrets", "delete", "key"),
    ("secrets", "delete", "--purge", "key"),
    ("secrets", "rollback", "key"),
    ("secrets", "rotate", "--compromised", "key"),
]


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("line", DESTRUCTIVE, ids=" ".join)
def test_in_production_a_script_says_yes(openclaw: Openclaw, line: tuple[str, ...]) -> None:
    openclaw(*PROD, "secrets", "set", "key", input=b"second", check=0)
    refused = openclaw(*PROD, *line, check=2)
    assert b"if prod is meant" in refused.err
    assert openclaw(*PROD, "secrets", "get", "key").out == b"second"
    allowed = 7 if "rotate" in line else 0  # only a person can renew it
    openclaw(*PROD, *line, "--yes", check=allowed)
    openclaw(*STAGING, "secrets", "set", "key", input=b"second", check=0)
    openclaw(*STAGING, "secrets", "delete", "key", check=0)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(("typed", "status"), [(b"prod\n", 0), (b"y\n", 2), (b"production\n", 2)])
def test_in_production_a_person_types_its_name(
    openclaw: Openclaw, typed: bytes, status: int
) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        ["setsid", "--ctty", "--wait", f"{SCRIPTS}/openclaw", *PROD, "secrets", "delete", "key"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ,
    )
    os.close(theirs)
    seen = b""
    while b"to go on:" not in seen:
        seen += os.read(ours, 1000)
    assert b"this is the environment prod. Delete key? Type prod" in seen
    os.write(ours, typed)
    assert done.wait(30) == status
    os.close(ours)
    assert openclaw(*PROD, "secrets", "get", "key").status == (3 if status == 0 else 0)


@ROADS
def test_plain_text_is_refused_in_production_wherever_it_stands(
    openclaw: Openclaw, tmp_path: Path, road: dict[str, str]
) -> None:
    openclaw(*PROD, "secrets", "set", "key", input=b"of prod", check=0)
    path = tmp_path / "state" / "openclaw.json"
    path.write_text('{"anthropic": {"apiKey": "sk-ant-xxx"}}')
    for _ in range(2):
        assert openclaw(*PROD, "secrets", "get", "key", env=road).status == 78
        assert openclaw(*STAGING, "secrets", "get", "anthropic/apiKey", env=road).status == 3
    path.unlink()
    assert openclaw(*PROD, "secrets", "get", "key", env=road).status == 0
