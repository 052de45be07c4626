"""Readings by agents are held to their grants, each refusal recorded."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openclaw_cli import assembly
from openclaw_cli.agents import granting
from openclaw_cli.agents.spec import AgentSpec, SecretUse
from openclaw_cli.changes import Changes
from openclaw_cli.errors import DeniedError, NotFoundError, OpenclawError, UsageError
from openclaw_cli.home import find
from openclaw_cli.model import Secret, SecretValue
from openclaw_cli.names import parse
from openclaw_cli.service import Secrets
from openclaw_cli.settings import Settings
from tests.conftest import Result

As = Callable[..., Secrets]
Main = Callable[..., Result]


@pytest.fixture
def as_agent(changes: Changes) -> As:
    """Return what reads for an agent, of a store that has some secrets."""
    changes.set_many({name: SecretValue(name.encode()) for name in ("db", "team/a", "team/b")})
    changes.set("db", SecretValue(b"db"))

    def make(name: str = "mailer", *secrets: str) -> Secrets:
        spec = AgentSpec(name, secrets=tuple(SecretUse(each) for each in secrets))
        actor = {"via": "agent", "thread": "t-1"}
        return assembly.for_agent(find(os.environ), Settings({}, {}), actor, spec, {})

    return make


def grant(changes: Changes, *names: str, agent: str = "mailer", **limits: int) -> None:
    granting.grant(changes.change_store, {}, agent, names, **limits)


def read(secrets: Secrets, name: str) -> bytes:
    return secrets.read(parse(name)).value.reveal()


def trail(secrets: Secrets) -> list[dict[str, Any]]:
    files = sorted(Path(secrets.home.audit).glob("trail*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_what_was_granted_is_read_and_nothing_else(as_agent: As, changes: Changes) -> None:
    grant(changes, "team/*")
    mailer = as_agent("mailer", "db")
    assert (read(mailer, "db"), read(mailer, "team/a")) == (b"db", b"team/a")
    with pytest.raises(DeniedError, match="agent reporter may not read db: it was not granted"):
        read(as_agent("reporter"), "db")


def test_a_refusal_is_recorded_with_the_agent_and_its_thread(as_agent: As) -> None:
    secrets = as_agent()
    with pytest.raises(DeniedError):
        read(secrets, "db")
    last = trail(secrets)[-1]
    assert (last["kind"], last["name"], last["outcome"]) == ("secret_reveal", "db", "denied")
    assert last["actor"] == {"via": "agent", "thread": "t-1", "agent": "mailer"}


def test_a_refusal_says_nothing_of_whether_the_secret_exists(as_agent: As) -> None:
    secrets = as_agent()
    for name in ("db", "dbx", "nothing"):
        with pytest.raises(DeniedError) as refused:
            read(secrets, name)
        assert refused.value.message == f"agent mailer may not read {name}: it was not granted"


@pytest.mark.parametrize("name", ["db?version=1", "local://db", "vault://local/db", "DB", "db2"])
def test_no_other_spelling_leads_to_it(as_agent: As, name: str) -> None:
    with pytest.raises(OpenclawError) as refused:
        read(as_agent("mailer", "db", "team/*"), name)
    assert refused.value.status == 6


def test_the_hint_of_a_refused_field_is_a_grant_that_leads_somewhere(changes: Changes) -> None:
    changes.set("parts", SecretValue(b'{"a": "1", "b": "2"}'))
    settings = Settings({"names": {"one": {"reference": "local://parts#a"}}}, {})
    actor = {"via": "agent"}
    secrets = assembly.for_agent(find(os.environ), settings, actor, AgentSpec("mailer"), {})
    for asked in ("one#b", "one"):
        with pytest.raises(DeniedError) as refused:
            read(secrets, asked)
        assert refused.value.hint == "openclaw secrets grant mailer one"
    grant(changes, "one")
    assert read(secrets, "one") == b"1"


@pytest.mark.parametrize("option", ["--backend", "--fallback"])
def test_an_agent_chooses_no_backend_for_a_name_that_was_granted(
    main: Callable[..., Result],
    changes: Changes,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
) -> None:
    changes.set("db", SecretValue(b"in the store"))
    grant(changes, "db")
    monkeypatch.setenv("db", "elsewhere")
    assert main("secrets", "get", "db", "--backend", "env", check=0).out == b"elsewhere"
    monkeypatch.setenv("OPENCLAW_AGENT", "mailer")
    assert main("secrets", "get", "db", check=0).out == b"in the store"
    refused = main("secrets", "get", "db", option, "env", check=6)
    assert f"not where {option} does" in refused.err.decode()
    monkeypatch.setenv("OPENCLAW_BACKEND", "env")
    for hot in ("", "1"):
        monkeypatch.setenv("OPENCLAW_NO_HOT", hot)
        refused = main("secrets", "get", "db", check=6)
        assert "unset OPENCLAW_BACKEND" in refused.err.decode()


def test_of_several_each_has_its_own_answer(as_agent: As) -> None:
    found = as_agent("mailer", "team/*", "absent").read_many(
        [parse(name) for name in ("db", "team/a", "absent", "team/b")], purpose="run"
    )
    assert [type(each) for each in found] == [DeniedError, Secret, NotFoundError, Secret]


def test_uses_are_counted_down_in_the_store(as_agent: As, changes: Changes) -> None:
    grant(changes, "db", uses=2)
    assert [read(as_agent(), "db") for _ in range(2)] == [b"db", b"db"]
    with pytest.raises(DeniedError, match="its grant is used up"):
        read(as_agent(), "db")
    kinds = [each["kind"] for each in trail(as_agent()) if each.get("phase") == "intent"]
    assert kinds.count("grant_use") == 2


def test_one_reading_of_many_takes_as_many_uses(as_agent: As, changes: Changes) -> None:
    grant(changes, "team/*", uses=1)
    found = as_agent().read_many([parse("team/a"), parse("team/b")], purpose="run")
    assert [type(each) for each in found] == [Secret, DeniedError]


@pytest.mark.slow
def test_twenty_at_once_get_no_more_than_the_uses(as_agent: As, changes: Changes) -> None:
    grant(changes, "db", uses=5)
    got: list[bytes] = []
    refused: list[str] = []

    def one() -> None:
        try:
            got.append(read(as_agent(), "db"))
        except DeniedError as wrong:
            refused.append(wrong.message)

    as_agent()
    threads = [threading.Thread(target=one) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (len(got), len(refused)) == (5, 15)


def test_a_grant_that_is_over_or_taken_away_holds_no_more(as_agent: As, changes: Changes) -> None:
    soon = time.time_ns() // 1_000_000 + 400
    grant(changes, "db", expires=soon)
    grant(changes, "team/*")
    assert read(as_agent(), "db") == b"db"
    granting.revoke(changes.change_store, {}, "mailer", ["team/*"])
    with pytest.raises(DeniedError):
        read(as_agent(), "team/a")
    time.sleep(0.5)
    with pytest.raises(DeniedError, match="its grant expired now"):
        read(as_agent(), "db")


def test_revoking_what_is_not_there_takes_nothing(as_agent: As, changes: Changes) -> None:
    as_agent()
    grant(changes, "db")
    with pytest.raises(NotFoundError):
        granting.revoke(changes.change_store, {}, "mailer", ["db", "team/a"])
    assert read(as_agent(), "db") == b"db"
    assert granting.revoke(changes.change_store, {}, "mailer", []) == ["db"]
    with pytest.raises(NotFoundError):
        granting.revoke(changes.change_store, {}, "mailer", [])


def test_an_agent_cannot_grant(changes: Changes, as_agent: As) -> None:
    for actor in (as_agent().actor, {"thread": "t"}):
        with pytest.raises(DeniedError, match="an agent cannot change grants"):
            granting.grant(changes.change_store, actor, "mailer", ["db"])
        with pytest.raises(DeniedError, match="an agent cannot change grants"):
            granting.revoke(changes.change_store, actor, "mailer", ["db"])


@pytest.mark.parametrize("limits", [{"uses": 0}, {"uses": 20_000}, {"expires": 1}])
def test_a_grant_of_nothing_is_refused(changes: Changes, limits: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        granting.grant(changes.change_store, {}, "mailer", ["db"], **limits)


def test_what_an_agent_has_without_asking(as_agent: As, changes: Changes) -> None:
    secrets = as_agent()
    grant(changes, "team/*")
    grant(changes, "once", uses=1)
    spec = AgentSpec("mailer", secrets=(SecretUse("db", "DB"),))
    assert assembly.granted_secrets(secrets, spec, {}) == {"db": "DB", "team/a": "", "team/b": ""}


def test_a_grant_of_a_name_opens_no_other_field_than_the_one_it_leads_to(
    as_agent: As, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("OPENAI=one\nSTRIPE=other\n")
    mailer = as_agent("mailer", "openai")
    mailer.names = {"openai": {"reference": f"file://{tmp_path}/.env#OPENAI"}}
    assert (read(mailer, "openai"), read(mailer, "openai#OPENAI")) == (b"one", b"one")
    with pytest.raises(DeniedError, match="may not read openai#STRIPE"):
        read(mailer, "openai#STRIPE")
    last = trail(mailer)[-1]
    assert (last["name"], last["field"], last["outcome"]) == ("openai", "STRIPE", "denied")


def test_a_field_elsewhere_is_granted_by_its_name(as_agent: As, tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    file.write_text('{"user":"u","password":"p"}')
    mailer = as_agent("mailer", "all#user")
    mailer.names = {"all": {"reference": f"file://{file}"}}
    assert read(mailer, "all#user") == b"u"
    for name in ("all", "all#password"):
        with pytest.raises(DeniedError):
            read(mailer, name)
    whole = as_agent("mailer", "all")
    whole.names = mailer.names
    with pytest.raises(DeniedError):
        read(whole, "all#user")


def test_a_grant_of_a_local_secret_covers_its_fields(as_agent: As, changes: Changes) -> None:
    changes.set("whole", SecretValue(b'{"user":"u"}'))
    assert read(as_agent("mailer", "whole"), "whole#user") == b"u"
    assert read(as_agent("mailer", "w*"), "whole#user") == b"u"
    with pytest.raises(DeniedError):
        read(as_agent("mailer", "whole#password"), "whole#user")


def test_a_grant_to_an_agent_that_the_settings_have_not_waits_and_says_who_may_be_meant(
    main: Main, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    agents = {name: {"handler": "m:f"} for name in ("mailer", "reporter")}
    (state / "openclaw.json").write_text(json.dumps({"agents": agents}))
    main("secrets", "create", "db", input=b"value", check=0)
    for name, hint in (("mialer", b"did you mean mailer?"), ("x", b"known: mailer, reporter")):
        done = main("secrets", "grant", name, "db", check=0)
        assert b"the settings have no agent %s: this waits for one" % name.encode() in done.err
        assert b"hint: " + hint in done.err
    assert b"no agent" not in main("secrets", "grant", "mailer", "db", check=0).err
