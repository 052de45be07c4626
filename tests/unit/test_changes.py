"""Changing: announced, committed, and its outcome recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openclaw_cli.changes import KEEP_VERSIONS, Changes
from openclaw_cli.errors import ConflictError, NotFoundError, UsageError
from openclaw_cli.model import MAX_VALUE, SecretValue
from openclaw_cli.names import parse
from openclaw_cli.service import Secrets


def value(text: str) -> SecretValue:
    return SecretValue(text.encode())


def read(secrets: Secrets, name: str) -> bytes:
    return secrets.read(parse(name)).value.reveal()


def records(secrets: Secrets) -> list[dict[str, object]]:
    lines = Path(secrets.home.audit, "trail.jsonl").read_bytes().splitlines()
    return [json.loads(line) for line in lines]


def test_create_refuses_a_name_that_is_taken(changes: Changes, secrets: Secrets) -> None:
    changes.create("key", value("one"))
    with pytest.raises(ConflictError, match="key exists already"):
        changes.create("key", value("two"))
    assert records(secrets)[-1]["outcome"] == "conflict"
    assert read(secrets, "key") == b"one"


def test_create_with_force_keeps_a_new_version(changes: Changes, secrets: Secrets) -> None:
    changes.create("key", value("one"))
    assert changes.create("key", value("two"), force=True) == 2
    assert read(secrets, "key") == b"two"


def test_set_moves_the_stages_on(changes: Changes, secrets: Secrets) -> None:
    for text in ("one", "two", "three"):
        changes.set("key", value(text))
    stages = [row.stage for row in secrets.catalogue().entries["key"].rows]
    assert stages == ["retired", "previous", "current"]


def test_ten_versions_are_kept_and_the_oldest_go(changes: Changes, secrets: Secrets) -> None:
    for number in range(KEEP_VERSIONS + 3):
        changes.set("key", value(f"v{number}"))
    numbers = [row.number for row in secrets.catalogue().entries["key"].rows]
    assert numbers == list(range(4, KEEP_VERSIONS + 4))
    assert read(secrets, "key?version=4") == b"v3"


def test_rollback_makes_the_version_before_the_current_one(
    changes: Changes, secrets: Secrets
) -> None:
    changes.set("key", value("one"))
    changes.set("key", value("two"))
    assert changes.rollback("key") == (1, [])
    assert read(secrets, "key") == b"one"
    assert changes.set("key", value("three")) == 3


def test_rollback_to_what_is_not_there_changes_nothing(changes: Changes, secrets: Secrets) -> None:
    changes.set("key", value("one"))
    with pytest.raises(NotFoundError, match="no previous version"):
        changes.rollback("key")
    with pytest.raises(NotFoundError, match="no version 9"):
        changes.rollback("key", 9)
    with pytest.raises(ConflictError, match="is the current one"):
        changes.rollback("key", 1)
    assert read(secrets, "key") == b"one"


def test_a_deleted_secret_is_absent_until_it_is_restored(
    changes: Changes, secrets: Secrets
) -> None:
    changes.set("key", value("one"))
    assert changes.delete("key")
    with pytest.raises(NotFoundError, match="was deleted") as refused:
        read(secrets, "key")
    assert refused.value.hint == "openclaw secrets restore key"
    assert changes.restore("key") == 1
    assert read(secrets, "key") == b"one"


def test_deleting_what_is_not_there_succeeds_and_says_so(changes: Changes) -> None:
    assert changes.delete("key") is False
    changes.set("other", value("x"))
    assert changes.delete("key") is False


def test_a_purged_secret_cannot_be_restored(changes: Changes, secrets: Secrets) -> None:
    changes.set("key", value("one"))
    assert changes.delete("key", purge=True)
    with pytest.raises(NotFoundError):
        changes.restore("key")
    assert changes.set("key", value("again")) == 1
    assert read(secrets, "key") == b"again"


def test_a_secret_set_again_after_deletion_goes_on_counting(
    changes: Changes, secrets: Secrets
) -> None:
    changes.set("key", value("one"))
    changes.delete("key")
    assert changes.set("key", value("two")) == 2
    assert read(secrets, "key") == b"two"


def test_many_are_kept_together_or_not_at_all(changes: Changes, secrets: Secrets) -> None:
    changes.set("b", value("old"))
    with pytest.raises(ConflictError, match="1 of 2 names exist already: b"):
        changes.set_many({"a": value("1"), "b": value("2")}, overwrite=False)
    assert list(secrets.catalogue().entries) == ["b"]
    assert changes.set_many({"a": value("1"), "b": value("2")}) == {"a": 1, "b": 2}


def test_a_change_of_many_is_announced_once_and_recorded_for_each(
    changes: Changes, secrets: Secrets
) -> None:
    changes.set_many({"a": value("1"), "b": value("2")})
    intent, *outcomes = records(secrets)[1:]
    assert (intent["phase"], intent["names"]) == ("intent", ["a", "b"])
    assert [(each["name"], each["version"], each["of"]) for each in outcomes] == [
        ("a", "1", intent["seq"]),
        ("b", "1", intent["seq"]),
    ]


@pytest.mark.parametrize("size", [0, MAX_VALUE + 1])
def test_a_value_of_the_wrong_size_is_refused_before_anything_is_made(
    changes: Changes, secrets: Secrets, size: int
) -> None:
    with pytest.raises(UsageError):
        changes.set("key", SecretValue(b"x" * size))
    assert not Path(secrets.home.root).exists()


def test_the_largest_value_is_kept(changes: Changes, secrets: Secrets) -> None:
    changes.set("key", SecretValue(b"\x00" * MAX_VALUE))
    assert read(secrets, "key") == b"\x00" * MAX_VALUE


def test_a_change_that_was_interrupted_is_settled_by_the_next(
    changes: Changes, secrets: Secrets
) -> None:
    changes.set("key", value("one"))
    secrets.trail.append([{"kind": "secret_set", "name": "key", "phase": "intent"}])
    changes.set("key", value("two"))
    kinds = [(record["kind"], record.get("outcome")) for record in records(secrets)]
    assert ("change_settled", "abandoned") in kinds
    assert read(secrets, "key") == b"two"
