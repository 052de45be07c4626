"""An OpenAI key is rotated at a stand-in for its Admin API."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.model import CURRENT, SecretValue
from openclaw_cli.rotation.rotator import Held, Task
from openclaw_cli.rotation.rotators.openai import Openai
from openclaw_cli.testing.rotators import Accepts, ProviderContract, pending_of, promoted
from tests.integration.certificates import Authority
from tests.integration.rotations import refused, task_of
from tests.standin_http import FAULTS
from tests.standin_openai import ACCOUNT, ADMIN, PROJECT
from tests.standin_openai import Openai as Standin

pytestmark = pytest.mark.slow


@pytest.fixture
def service() -> Iterator[Standin]:
    with Standin() as running:
        for number in range(3):
            running.add(f"somebody's {number}")
        yield running


@pytest.fixture
def rotator() -> Openai:
    return Openai()


@pytest.fixture
def task(service: Standin) -> Task:
    return first(service)


def first(service: Standin) -> Task:
    id_, value = service.add("first")
    given = {"project": PROJECT, "service-account": ACCOUNT, "admin": "openai-admin"}
    given["endpoint"] = service.address
    return task_of(Openai, "openai-api-key", value, given, {"admin": ADMIN}, id_)


class TestOpenai(ProviderContract):
    @pytest.fixture
    def task(self, service: Standin) -> Task:
        return first(service)

    @pytest.fixture
    def rotator(self) -> Openai:
        return Openai()

    @pytest.fixture
    def accepts(self, service: Standin) -> Accepts:
        return lambda value: service.accepts(value.reveal().decode())

    @pytest.fixture
    def live(self, service: Standin) -> Callable[[], int]:
        return lambda: len(service.keys) - 3


def test_keys_of_others_stay(rotator: Openai, task: Task, service: Standin) -> None:
    rotator.create(task)
    rotator.create(task)
    assert sum(key["name"].startswith("somebody") for key in service.keys.values()) == 3


def test_a_lost_reply_leaves_no_key_that_nobody_has(
    rotator: Openai, task: Task, service: Standin
) -> None:
    service.fail("POST", "api_keys", "lost")
    refused(TemporaryError, rotator.create, task)
    assert len(service.keys) == 5
    made = rotator.create(task)
    assert len(service.keys) == 5
    done, old = promoted(pending_of(task, made)[0])
    service.fail("DELETE", "api_keys", "lost")
    refused(TemporaryError, rotator.revoke, done, old)
    rotator.revoke(done, old)
    assert len(service.keys) == 4


def test_a_key_that_a_person_made_is_told_by_what_openai_shows_of_it(
    rotator: Openai, task: Task, service: Standin
) -> None:
    assert task.current
    bare = replace(task, held=(replace(task.current, handle=""),))
    done, old = promoted(pending_of(bare, rotator.create(bare))[0])
    rotator.revoke(done, old)
    assert not service.accepts(old.value.reveal().decode())
    rotator.revoke(done, old)  # it is gone already


def test_of_two_that_look_the_same_none_is_deleted(
    rotator: Openai, task: Task, service: Standin
) -> None:
    assert task.current
    value = task.current.value.reveal().decode()
    service.add("twin", value[:20] + "x" * 30 + value[-10:])
    bare = replace(task, held=(replace(task.current, handle=""),))
    said = refused(RefusedError, rotator.revoke, bare, bare.held[0])
    assert said.hint.endswith("https://platform.openai.com/api-keys")
    assert service.accepts(value)


def test_it_never_makes_a_key_that_may_do_more(
    rotator: Openai, task: Task, service: Standin
) -> None:
    made = rotator.create(replace(task, scope="model.request, api.files.read"))
    assert service.keys[made.handle]["scopes"] == ["model.request", "api.files.read"]


def test_a_new_key_is_tried_until_it_is_known(
    rotator: Openai, task: Task, service: Standin
) -> None:
    task, pending = pending_of(task, rotator.create(task))
    service.unknown_for = 1
    rotator.test(task, pending)
    assert service.unknown_for == -1


@pytest.mark.parametrize(
    ("setting", "error"), [("project", NotFoundError), ("service-account", NotFoundError)]
)
def test_what_is_not_there_is_said_before_anything_changed(
    rotator: Openai, task: Task, service: Standin, setting: str, error: type[OpenclawError]
) -> None:
    refused(error, rotator.check, replace(task, settings={**task.settings, setting: "other/../x"}))
    assert len(service.keys) == 4


def test_who_is_no_admin_is_told_what_is_needed(rotator: Openai, task: Task) -> None:
    less = replace(task, secrets={"admin": SecretValue(b"sk-proj-hunter2")})
    assert "admin key" in refused(DeniedError, rotator.check, less).hint


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://api.openai.com", "not encrypted"),
        ("https://user@api.openai.com", "not an address"),
        ("https://api.openai.com?x=1", "not an address"),
        ("ftp://127.0.0.1", "not an address"),
        ("http://169.254.169.254", "metadata"),
        ("http://127.0.0.1:x", "not an address"),
    ],
)
def test_a_token_goes_to_no_address_that_is_not_safe(
    rotator: Openai, task: Task, endpoint: str, words: str
) -> None:
    wrong = replace(task, settings={**task.settings, "endpoint": endpoint})
    assert words in refused(ConfigError, rotator.check, wrong).message


def test_a_redirect_is_not_followed_with_a_token(
    rotator: Openai, task: Task, service: Standin
) -> None:
    with Standin() as other:
        service.elsewhere = other.address
        service.fail("GET", "service_accounts", "redirect")
        refused(RefusedError, rotator.check, task)
        assert other.requests == []


def test_a_certificate_that_is_not_to_be_trusted_gets_no_token(
    rotator: Openai, task: Task, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    secured = Standin()
    secured.secure(*authority.issue("server"))
    with secured as service:
        asked = replace(task, settings={**task.settings, "endpoint": service.address})
        assert "not one to trust" in refused(ConfigError, rotator.check, asked).message
        assert service.requests == []
        trusting = {**asked.settings, "ca-cert": str(authority.path)}
        rotator.check(replace(asked, settings=trusting))
        assert service.saw(ADMIN)
        nowhere = {**asked.settings, "ca-cert": str(tmp_path / "none")}
        refused(ConfigError, rotator.check, replace(asked, settings=nowhere))


@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("step", ["check", "create", "test", "revoke"])
def test_whatever_goes_wrong_is_said_in_our_words_and_then_goes_on(
    rotator: Openai, task: Task, service: Standin, how: str, step: str
) -> None:
    asked = {"check": ("GET", ""), "create": ("POST", ""), "revoke": ("DELETE", "")}
    service.fail(*asked.get(step, ("GET", "/v1/models")), how)
    assert task.current
    late = replace(task, deadline=time.monotonic() + 1) if how == "slow" else task
    more = () if step in ("check", "create") else (task.current,)
    gone_or_known = {("revoke", "404"), ("test", "403"), ("test", "404")}
    if (step, how) in gone_or_known:
        getattr(rotator, step)(late, *more)
    else:
        said = refused(OpenclawError, getattr(rotator, step), late, *more)
        assert said.status in (3, 6, 7, 75)
        if how == "429":
            assert said.hint.endswith("1m30s")
    service.mend()
    getattr(rotator, step)(task, *more)


def test_no_key_is_in_a_log(rotator: Openai, task: Task, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("urllib3").setLevel(logging.DEBUG)
        made = rotator.create(task)
        rotator.test(task, Held(made.value, CURRENT, made.handle))
    assert made.value.reveal().decode() not in caplog.text
    assert ADMIN not in caplog.text
