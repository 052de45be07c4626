"""The faults of `test_rotation.py`, with the rotators whose services are stand-ins here.

What each service cannot do is the only difference to `test_real_rotators.py`: GitHub lists no
tokens of an App and ends a lost one itself within the hour; Slack takes a refresh token once, so
that a lost answer is for a person; at Anthropic a person makes the key, and we revoke the old one.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from openclaw_cli.changes import Changes
from openclaw_cli.duration import HOUR
from openclaw_cli.model import CURRENT, SecretValue
from openclaw_cli.rotation import generators
from openclaw_cli.rotation.rotator import Held
from openclaw_cli.rotation.rotators import github_deploy_key
from openclaw_cli.rotation.rotators.anthropic import Anthropic
from openclaw_cli.rotation.rotators.github_app import GithubApp
from openclaw_cli.rotation.rotators.github_deploy_key import GithubDeployKey
from openclaw_cli.rotation.rotators.openai import Openai
from tests import standin_anthropic, standin_github, standin_openai, standin_slack
from tests.conftest import NIGHTLY
from tests.faults.test_real_rotators import ADMIN_NAME, RealWorld, Service, plans
from tests.faults.test_rotation import GOOD, NAME, Plan, World, places
from tests.standin_http import Standin

pytestmark = pytest.mark.slow

__all__ = ["places"]  # a fixture


class OnOpenai(Service):
    rotator = "openai"

    def __init__(self, service: standin_openai.Openai) -> None:
        super().__init__()
        self._service = service
        service.keys.clear()
        for number in range(3):
            service.add(f"somebody's {number}")
        self.first = service.add("first")[1].encode()
        self.admin = standin_openai.ADMIN.encode()
        self.settings = {
            "project": standin_openai.PROJECT,
            "service-account": standin_openai.ACCOUNT,
            "admin": ADMIN_NAME,
            "endpoint": service.address,
        }

    def accepts(self, value: bytes) -> bool:
        return self._service.accepts(value.decode())

    def live(self) -> int:
        others = [key for key in self._service.keys.values() if "somebody" in key["name"]]
        assert len(others) == 3, "a key of somebody else is gone"
        return len(self._service.keys) - 3


class OnGithubApp(Service):
    rotator = "github-app"
    lists = False

    def __init__(self, service: standin_github.Github) -> None:
        super().__init__()
        self._service = service
        service.tokens.clear()
        self.first = service.add_token().encode()
        self.admin = service.pem
        self.settings = {
            "app": standin_github.APP,
            "installation": standin_github.INSTALLATION,
            "key": ADMIN_NAME,
            "endpoint": service.address,
        }

    def accepts(self, value: bytes) -> bool:
        return value.decode() in self._service.tokens


class OnDeployKey(Service):
    rotator = "github-deploy-key"

    def __init__(self, service: standin_github.Github) -> None:
        super().__init__()
        self._service = service
        service.keys.clear()
        made = generators.parse("ssh").generate()
        service.add_key(f"{made.public} a comment")
        self.first, self.admin = made.value, standin_github.ADMIN.encode()
        self.settings = {
            "repository": standin_github.REPOSITORY,
            "admin": ADMIN_NAME,
            "endpoint": service.address,
        }

    def accepts(self, value: bytes) -> bool:
        public = github_deploy_key._public(Held(SecretValue(value), CURRENT), "it")  # noqa: SLF001
        return any(public.split()[1] in key["key"] for key in self._service.keys.values())

    def live(self) -> int:
        return len(self._service.keys)


class OnSlack(Service):
    rotator = "slack"
    lists = False

    def __init__(self, service: standin_slack.Slack) -> None:
        super().__init__()
        self._service = service
        token, refresh = service.add()
        self.first = json.dumps({"access_token": token, "refresh_token": refresh}).encode()
        self.admin = standin_slack.SECRET.encode()
        self.settings = {
            "client-id": standin_slack.CLIENT,
            "client-secret": ADMIN_NAME,
            "endpoint": service.address,
        }

    def accepts(self, value: bytes) -> bool:
        return json.loads(value)["access_token"] in self._service.tokens

    def needs_a_person(self, value: bytes) -> bool:
        return json.loads(value)["refresh_token"] not in self._service.refreshes


class OnAnthropic(Service):
    rotator = "anthropic"

    def __init__(self, service: standin_anthropic.Anthropic) -> None:
        super().__init__()
        self._service = service
        service.keys.clear()
        self.first = service.add().encode()
        self.by_person = service.add().encode()
        self.admin = standin_anthropic.ADMIN.encode()
        self.settings = {"admin": ADMIN_NAME, "endpoint": service.address}

    def accepts(self, value: bytes) -> bool:
        return self._service.accepts(value.decode())

    def live(self) -> int:
        return sum(key["status"] == "active" for key in self._service.keys.values())


class StandinWorld(RealWorld):
    """Where a service lists nothing, what is alive is what the store has and it accepts."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        new = getattr(service, "by_person", b"")
        if new:
            Changes(self.secrets).set(NAME, SecretValue(new))
            self.now = time.time() + 2 * HOUR  # past the grace time of the old one

    def crowd(self) -> int:
        if getattr(self.service, "lists", True):
            return self.service.live()
        return sum(map(self.service.accepts, self.versions()))

    def versions(self) -> Iterator[bytes]:
        snapshot = self.secrets.open()
        assert snapshot
        try:
            rows = snapshot.directory().entries[NAME].rows
            yield from (snapshot.value(NAME, row.number, row.place) for row in rows)
        finally:
            snapshot.close()


def wrong(service: Service, *plans: Plan) -> list[str]:
    """Return what did not hold in a schedule of faults."""
    world = StandinWorld(service)
    for plan in plans:
        world.run(plan)
    world.settle()
    world.look("all")
    found = list(world.broken)
    if isinstance(service, OnSlack) and service.needs_a_person(world.value()):
        failure = world.policy().failure  # what was lost cannot be had again; it is said
        found += [] if failure and failure.hint else ["nobody is told"]
        return [f"{plans}: {each}" for each in found]
    if not world.idle():
        found.append(f"stuck: {world.policy()}")
    if world.promotions() != (0 if isinstance(service, OnAnthropic) else 1):
        found.append(f"{world.promotions()} promotions")
    if world.crowd() != 1 and not isinstance(service, OnSlack):  # which ends them by itself
        found.append(f"{world.crowd()} live values at the end")
    return [f"{plans}: {each}" for each in found]


KINDS: dict[str, tuple[type[Standin], Callable[[Any], Service]]] = {
    "openai": (standin_openai.Openai, OnOpenai),
    "github-app": (standin_github.Github, OnGithubApp),
    "github-deploy-key": (standin_github.Github, OnDeployKey),
    "slack": (standin_slack.Slack, OnSlack),
    "anthropic": (standin_anthropic.Anthropic, OnAnthropic),
}
LOST = 6
"""Where Slack has answered, and nobody has kept it yet."""
EVERY = 4
"""Every fourth plan, but for the nightly run, which finds those that differ."""


@pytest.fixture
def services() -> Iterator[Callable[[str], Service]]:
    """Give what makes a service anew; each stand-in is started once."""
    with ExitStack() as stack:
        running: dict[type[Standin], Any] = {}

        def made(kind: str) -> Service:
            standin, service = KINDS[kind]
            if standin not in running:
                running[standin] = stack.enter_context(standin())
            return service(running[standin])

        yield made


@pytest.mark.parametrize("kind", KINDS)
def test_no_fault_leaves_a_wrong_state(
    services: Callable[[str], Service],
    places: Callable[[], None],
    kind: str,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    def start() -> World:
        places()
        return StandinWorld(services(kind))

    found, count = [], 0
    for every in plans(start, EVERY):
        places()
        found += wrong(services(kind), *every)
        count += 1
    record_testsuite_property(f"schedules of {kind}", count)
    assert not found, f"{len(found)} violations in {count} schedules"
    assert count


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_each_step_and_again_on_resuming(
    services: Callable[[str], Service], places: Callable[[], None], kind: str
) -> None:
    found = []
    for kill in range(1, 13, 1 if NIGHTLY else 3):
        places()
        found += wrong(services(kind), Plan(kill=kill), Plan(kill=13 - kill))
    assert not found


def test_control_an_orphan_of_a_key_is_found(
    services: Callable[[str], Service],
    places: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key whose making was not answered is made again, and the first one is left."""
    real = Openai.create
    monkeypatch.setattr(
        Openai, "create", lambda self, task: real(self, replace(task, token=uuid.uuid4().hex))
    )
    places()
    assert wrong(services("openai"), Plan(call=2, fault="lost"))


@pytest.mark.parametrize(
    ("kind", "rotator"),
    [
        ("openai", Openai),
        ("github-app", GithubApp),
        ("github-deploy-key", GithubDeployKey),
        ("anthropic", Anthropic),
    ],
)
def test_control_a_rotator_that_revokes_nothing_is_found(
    services: Callable[[str], Service],
    places: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    rotator: type[object],
) -> None:
    monkeypatch.setattr(rotator, "revoke", lambda *_: None)
    places()
    assert any("live values" in each for each in wrong(services(kind), *GOOD))


def test_control_a_lost_refresh_token_that_nobody_is_told_of_is_found(
    services: Callable[[str], Service],
    places: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(StandinWorld, "rounds", 0)
    places()
    assert any("told" in each for each in wrong(services("slack"), Plan(kill=LOST)))
