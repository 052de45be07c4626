"""Reading: nothing is given without a record."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from openclaw_cli.changes import Changes
from openclaw_cli.errors import (
    ConfigError,
    IntegrityError,
    LockedError,
    NotFoundError,
    UnrecordedError,
)
from openclaw_cli.model import SecretValue
from openclaw_cli.names import parse
from openclaw_cli.service import Secrets

KEY = SecretValue(b"\x00\xff not text\n")


def trail(secrets: Secrets) -> list[dict[str, object]]:
    lines = Path(secrets.home.audit, "trail.jsonl").read_bytes().splitlines()
    return [json.loads(line) for line in lines]


def test_what_went_in_comes_out(secrets: Secrets, changes: Changes) -> None:
    changes.create("team/key", KEY)
    assert secrets.read(parse("team/key")).value.reveal() == KEY.reveal()


def test_each_reading_is_one_record_that_names_the_secret_and_the_version(
    secrets: Secrets, changes: Changes
) -> None:
    changes.create("key", KEY)
    before = len(trail(secrets))
    secrets.read(parse("key"))
    (record,) = trail(secrets)[before:]
    assert (record["kind"], record["name"], record["version"]) == ("secret_reveal", "key", "1")
    assert record["outcome"] == "ok"
    assert record["actor"]["uid"] == os.getuid()  # type: ignore[index]


def test_a_name_that_is_not_there_is_recorded_too(secrets: Secrets, changes: Changes) -> None:
    changes.create("key", KEY)
    with pytest.raises(NotFoundError, match="no secret is called other"):
        secrets.read(parse("other"))
    assert trail(secrets)[-1]["outcome"] == "not_found"


def test_a_misspelt_name_gets_a_suggestion_and_no_value(secrets: Secrets, changes: Changes) -> None:
    changes.create("openai-api-key", KEY)
    with pytest.raises(NotFoundError) as refused:
        secrets.read(parse("openai-api-kye"))
    assert refused.value.hint == "did you mean openai-api-key?"


def test_without_a_record_there_is_no_value(secrets: Secrets, changes: Changes) -> None:
    changes.create("key", KEY)
    for name in ("trail.jsonl", "lock"):
        Path(secrets.home.audit, name).chmod(0o644)
        with pytest.raises(UnrecordedError, match="nothing was given"):
            secrets.read(parse("key"))
        Path(secrets.home.audit, name).chmod(0o600)
    assert secrets.read(parse("key")).value.reveal() == KEY.reveal()


def test_many_are_read_at_once_and_each_failure_stands_in_its_place(
    secrets: Secrets, changes: Changes
) -> None:
    changes.set_many({"a": SecretValue(b"1"), "b": SecretValue(b"2")})
    before = len(trail(secrets))
    found = secrets.read_many([parse("b"), parse("no"), parse("a")], purpose="run")
    assert isinstance(found[1], NotFoundError)
    assert [each.value.reveal() for each in (found[0], found[2])] == [b"2", b"1"]  # type: ignore[union-attr]
    assert [record["purpose"] for record in trail(secrets)[before:]] == ["run"] * 3


def test_an_older_version_is_read_by_its_number(secrets: Secrets, changes: Changes) -> None:
    for value in (b"one", b"two"):
        changes.set("key", SecretValue(value))
    found = secrets.read(parse("key?version=1"))
    assert (found.value.reveal(), found.version.stage) == (b"one", "previous")
    with pytest.raises(NotFoundError, match="has no version 7"):
        secrets.read(parse("key?version=7"))


def test_an_unknown_backend_is_named_with_those_there_are(
    secrets: Secrets, changes: Changes
) -> None:
    changes.create("key", KEY)
    with pytest.raises(ConfigError, match="no backend is called gcp"):
        secrets.read(parse("gcp://key"))


def test_a_store_without_its_key_file_is_locked(secrets: Secrets, changes: Changes) -> None:
    changes.create("key", KEY)
    Path(secrets.home.secrets, "key").unlink()
    with pytest.raises(LockedError, match="locked"):
        secrets.read(parse("key"))


def test_an_older_store_put_back_is_refused(secrets: Secrets, changes: Changes) -> None:
    changes.create("key", KEY)
    store = Path(secrets.home.secrets, "store.oc")
    old = store.read_bytes()
    changes.set("key", SecretValue(b"new"))
    store.write_bytes(old)
    with pytest.raises(IntegrityError, match="put back"):
        secrets.read(parse("key"))


def test_a_store_that_vanished_is_not_an_empty_one(secrets: Secrets, changes: Changes) -> None:
    changes.create("key", KEY)
    Path(secrets.home.secrets, "store.oc").unlink()
    with pytest.raises(IntegrityError, match="missing"):
        secrets.read(parse("key"))
    with pytest.raises(IntegrityError, match="missing"):
        changes.set("key", KEY)


def test_reading_makes_nothing_where_there_is_nothing(secrets: Secrets) -> None:
    with pytest.raises(NotFoundError, match="there is no store yet"):
        secrets.read(parse("key"))
    assert not Path(secrets.home.root).exists()


def test_listing_gives_names_and_records_nothing(secrets: Secrets, changes: Changes) -> None:
    changes.create("key", KEY)
    before = len(trail(secrets))
    assert list(secrets.catalogue().entries) == ["key"]
    assert len(trail(secrets)) == before


def test_another_field_or_version_than_the_settings_name_is_refused(
    secrets: Secrets, changes: Changes
) -> None:
    changes.create("db", SecretValue(b'{"user":"u","password":"p"}'))
    changes.set("db", SecretValue(b'{"user":"v","password":"q"}'))
    secrets.names = {
        "user": {"reference": "local://db#user"},
        "first": {"reference": "local://db?version=1"},
    }
    assert secrets.read(parse("user")).value.reveal() == b"v"
    assert secrets.read(parse("first#user")).value.reveal() == b"u"
    for name in ("user#password", "first?version=2"):
        with pytest.raises(NotFoundError, match="by the settings, and has no other"):
            secrets.read(parse(name))
    assert secrets.read(parse("user?version=1")).value.reveal() == b"u"


def test_the_field_that_was_read_is_recorded(secrets: Secrets, changes: Changes) -> None:
    changes.create("db", SecretValue(b'{"user":"u"}'))
    secrets.read(parse("db#user"))
    assert trail(secrets)[-1]["field"] == "user"
    secrets.read(parse("db"))
    assert "field" not in trail(secrets)[-1]
