"""A person makes an Anthropic key, and the old one is disabled at a stand-in for its Admin API."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from openclaw_cli.errors import DeniedError, OpenclawError, RefusedError, TemporaryError
from openclaw_cli.model import CURRENT, PREVIOUS, SecretValue
from openclaw_cli.rotation import by_hand, chosen
from openclaw_cli.rotation.rotator import Held, Task, checked
from openclaw_cli.rotation.rotators.anthropic import Anthropic
from openclaw_cli.testing.rotators import TOKEN
from tests.conftest import Openclaw
from tests.integration.rotations import refused
from tests.standin_anthropic import ADMIN
from tests.standin_anthropic import Anthropic as Standin
from tests.standin_http import FAULTS

pytestmark = pytest.mark.slow


@pytest.fixture
def service() -> Iterator[Standin]:
    with Standin() as running:
        for _ in range(3):
            running.add()
        yield running


@pytest.fixture
def rotator() -> Anthropic:
    return Anthropic()


@pytest.fixture
def task(service: Standin) -> Task:
    old, new = service.add(), service.add()
    return Task(
        "anthropic-api-key",
        TOKEN,
        time.time(),
        (Held(SecretValue(new.encode()), CURRENT), Held(SecretValue(old.encode()), PREVIOUS)),
        checked({"admin": "x", "endpoint": service.address}, Anthropic.SETTINGS, "anthropic"),
        {"admin": SecretValue(ADMIN.encode())},
    )


def test_the_old_key_is_disabled_and_no_other(
    rotator: Anthropic, task: Task, service: Standin
) -> None:
    assert task.current
    assert task.previous
    rotator.check(task)
    rotator.revoke(task, task.previous)
    rotator.revoke(task, task.previous)
    assert not service.accepts(task.previous.value.reveal().decode())
    refused(RefusedError, rotator.test, task, task.previous)
    rotator.test(task, task.current)
    assert [key["status"] for key in service.keys.values()].count("inactive") == 1


def test_of_two_that_look_the_same_none_is_disabled(
    rotator: Anthropic, task: Task, service: Standin
) -> None:
    assert task.previous
    value = task.previous.value.reveal().decode()
    service.add(value[:30] + "x" * 40 + value[-10:])
    said = refused(RefusedError, rotator.revoke, task, task.previous)
    assert "by hand" in said.hint
    assert service.accepts(value)


def test_it_makes_no_key_and_says_who_does(rotator: Anthropic, task: Task) -> None:
    said = refused(RefusedError, rotator.create, task)
    assert said.hint == "openclaw secrets set anthropic-api-key"


def test_who_is_no_admin_is_told_what_is_needed(rotator: Anthropic, task: Task) -> None:
    less = replace(task, secrets={"admin": SecretValue(b"sk-ant-api03-hunter2")})
    assert "Admin API key" in refused(DeniedError, rotator.check, less).hint


@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_whatever_goes_wrong_is_said_in_our_words_and_then_goes_on(
    rotator: Anthropic, task: Task, service: Standin, how: str, method: str
) -> None:
    assert task.previous
    service.fail(method, "api_keys", how)
    late = replace(task, deadline=time.monotonic() + 1) if how == "slow" else task
    if method == "POST" and how in ("html", "list", "deep"):
        refused(TemporaryError, rotator.revoke, late, task.previous)
    else:
        said = refused(OpenclawError, rotator.revoke, late, task.previous)
        assert said.status in (3, 6, 7, 75)
    service.mend()
    rotator.revoke(task, task.previous)
    assert not service.accepts(task.previous.value.reveal().decode())


def test_what_a_person_does_is_what_takes_the_old_one_away() -> None:
    assert chosen.BY_PERSON[1:] == by_hand.TAKES_AWAY
    assert all(chosen.rotator(name).kind == "person" for name in chosen.BY_PERSON)


def test_from_the_command_line_it_is_due_set_and_then_revoked(
    openclaw: Openclaw, service: Standin
) -> None:
    name, old, new = "anthropic-api-key", service.add(), service.add()
    openclaw("secrets", "create", name, input=old.encode(), check=0)
    openclaw("secrets", "create", "anthropic-admin", input=ADMIN.encode(), check=0)
    settings = ("--setting", "admin=anthropic-admin", "--setting", f"endpoint={service.address}")
    asked = ("secrets", "rotate", name, "--with", "anthropic", *settings)
    done = openclaw(*asked, "--schedule", "daily", "--grace", "1h", check=0)
    assert b"a person is reminded daily" in done.out + done.err
    later = {"LD_PRELOAD": _faketime(), "FAKETIME": "+2 days"}
    due = openclaw("secrets", "rotate", "--due", env=later, check=10)
    assert b"a person must renew anthropic-api-key" in due.err
    openclaw("secrets", "set", name, input=new.encode(), env=later, check=0)
    openclaw("secrets", "rotate", "--due", env=later, check=0)
    assert service.accepts(old)
    openclaw("secrets", "rotate", "--due", env={**later, "FAKETIME": "+50.5h"}, check=0)
    assert not service.accepts(old)
    assert service.accepts(new)
    openclaw("secrets", "rotate", "--due", env={**later, "FAKETIME": "+51h"}, check=0)


def _faketime() -> str:
    from glob import glob

    found = glob("/usr/lib/*/faketime/libfaketime.so.1")
    assert found, "faketime is not installed: scripts/system-packages.sh tests"
    return os.path.realpath(found[0])
