"""A Slack token is exchanged by its refresh token, at a stand-in for Slack's Web API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.model import CURRENT, SecretValue
from openclaw_cli.rotation.rotator import Held, Rotator, Task, checked
from openclaw_cli.rotation.rotators.slack import Slack
from openclaw_cli.testing.rotators import TOKEN, Accepts, ProviderContract, pending_of
from tests.integration.rotations import refused
from tests.standin_http import FAULTS
from tests.standin_slack import CLIENT, SECRET
from tests.standin_slack import Slack as Standin

pytestmark = pytest.mark.slow


def task_for(service: Standin, name: str = "access_token", **settings: str) -> Task:
    token, refresh = service.add()
    value = {name: token, "refresh_token": refresh, "team": "shop"}
    by_app = name == "access_token"
    given = {"endpoint": service.address, **({"client-id": CLIENT} if by_app else {})}
    return Task(
        "slack-token",
        TOKEN,
        time.time(),
        (Held(SecretValue(json.dumps(value).encode()), CURRENT),),
        checked({**given, **settings}, Slack.SETTINGS, "slack"),
        {"client-secret": SecretValue(SECRET.encode())} if by_app else {},
    )


@pytest.fixture
def service() -> Iterator[Standin]:
    with Standin() as running:
        yield running


@pytest.fixture
def rotator() -> Slack:
    return Slack()


class SlackContract(ProviderContract):
    @pytest.fixture
    def rotator(self) -> Slack:
        return Slack()

    @pytest.fixture
    def accepts(self, service: Standin) -> Accepts:
        def is_token(value: SecretValue) -> bool:
            found = json.loads(value.reveal())
            return (found.get("access_token") or found.get("token")) in service.tokens

        return is_token

    @pytest.fixture
    def live(self) -> Callable[[], int]:
        return lambda: 1

    def wrong(self, value: bytes) -> bytes:
        return value.replace(b"xoxe.xoxb-1-", b"xoxe.xoxb-1-x")

    def test_a_value_that_was_set_is_accepted(
        self, rotator: Rotator, task: Task, accepts: Accepts
    ) -> None:
        """Slack ends the old one within twelve hours, but does not say when."""
        task, pending = pending_of(task, rotator.create(task))
        rotator.test(task, pending)
        assert accepts(pending.value)
        assert not rotator.overlaps(task.settings)

    def test_a_revoked_value_is_not_accepted_and_the_new_one_is(
        self, rotator: Rotator, task: Task, accepts: Accepts
    ) -> None:
        """It is never said to be revoked: there is no grace time."""
        assert not rotator.overlaps(task.settings)
        assert accepts(rotator.create(task).value)

    def test_after_an_undo_all_is_as_before(
        self, rotator: Rotator, task: Task, accepts: Accepts, live: Callable[[], int]
    ) -> None:
        """The one before works until it ends."""
        task, pending = pending_of(task, rotator.create(task))
        rotator.undo(task, pending)
        assert task.current
        assert accepts(task.current.value)
        assert live() == 1

    def test_a_value_that_was_never_kept_leaves_no_orphan(
        self, rotator: Rotator, task: Task, accepts: Accepts, live: Callable[[], int]
    ) -> None:
        """A refresh token is good once: a person is told, and what there is goes on working."""
        rotator.create(task)
        said = refused(RefusedError, rotator.create, task)
        assert "used already" in said.message
        assert "install the app again" in said.hint
        assert task.current
        assert accepts(task.current.value)
        assert live() == 1


class TestAnApp(SlackContract):
    @pytest.fixture
    def task(self, service: Standin) -> Task:
        return task_for(service)

    def test_the_other_fields_stay(self, rotator: Slack, task: Task) -> None:
        new = json.loads(rotator.create(task).value.reveal())
        assert list(new) == ["access_token", "refresh_token", "team"]


class TestAnAppConfigurationToken(SlackContract):
    @pytest.fixture
    def task(self, service: Standin) -> Task:
        return task_for(service, "token")


@pytest.mark.parametrize(
    "value", [b"xoxb-1", b"[]", b'{"token": "x"}', b'{"token": 1, "refresh_token": "x"}', b"\xff"]
)
def test_what_is_no_such_token_is_said(rotator: Slack, service: Standin, value: bytes) -> None:
    task = replace(task_for(service), held=(Held(SecretValue(value), CURRENT),))
    refused(ConfigError, rotator.check, task)


def test_an_app_that_slack_does_not_know_is_said(rotator: Slack, service: Standin) -> None:
    task = task_for(service, **{"client-id": "other"})
    refused(DeniedError, rotator.create, task)
    refused(ConfigError, rotator.check, replace(task, secrets={}))
    refused(ConfigError, rotator.check, task_for(service, "token", **{"client-id": CLIENT}))


@pytest.mark.parametrize("how", FAULTS)
def test_whatever_goes_wrong_is_said_in_our_words(
    rotator: Slack, service: Standin, how: str
) -> None:
    task = task_for(service)
    service.fail("POST", "oauth", how)
    late = replace(task, deadline=time.monotonic() + 1) if how == "slow" else task
    said = refused(OpenclawError, rotator.create, late)
    assert said.status in (3, 6, 7, 75)
    if how in ("500", "503", "429", "slow", "lost", "html"):
        assert isinstance(said, TemporaryError)
