"""Tokens of a GitHub App and deploy keys are rotated at a stand-in for GitHub's API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

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
from openclaw_cli.rotation import generators
from openclaw_cli.rotation.rotator import Held, Rotator, Task
from openclaw_cli.rotation.rotators.github_app import GithubApp
from openclaw_cli.rotation.rotators.github_deploy_key import GithubDeployKey
from openclaw_cli.testing.rotators import Accepts, ProviderContract, pending_of, promoted
from tests.integration.rotations import refused, task_of
from tests.standin_github import ADMIN, APP, INSTALLATION, REPOSITORY, Github
from tests.standin_http import FAULTS

pytestmark = pytest.mark.slow


@pytest.fixture
def github() -> Iterator[Github]:
    with Github() as running:
        yield running


def of_app(github: Github, **settings: str) -> Task:
    given = {"app": APP, "installation": INSTALLATION, "key": "x", "endpoint": github.address}
    token, secrets = github.add_token(), {"key": github.pem.decode()}
    return task_of(GithubApp, "github-token", token, {**given, **settings}, secrets)


def of_key(github: Github, **settings: str) -> Task:
    made = generators.parse("ssh").generate()
    assert made.public
    github.add_key(f"{made.public} a comment")
    given = {"repository": REPOSITORY, "admin": "x", "endpoint": github.address}
    value, secrets = made.value.decode(), {"admin": ADMIN}
    return task_of(GithubDeployKey, "deploy-key", value, {**given, **settings}, secrets)


class TestAnApp(ProviderContract):
    @pytest.fixture
    def rotator(self) -> GithubApp:
        return GithubApp()

    @pytest.fixture
    def task(self, github: Github) -> Task:
        return of_app(github)

    @pytest.fixture
    def accepts(self, github: Github) -> Accepts:
        return lambda value: value.reveal().decode() in github.tokens

    @pytest.fixture
    def live(self, github: Github) -> Callable[[], int]:
        return lambda: len(github.tokens)

    def test_a_value_that_was_never_kept_leaves_no_orphan(
        self, rotator: Rotator, task: Task, accepts: Accepts, live: Callable[[], int]
    ) -> None:
        """GitHub lists no tokens; it ends the lost one within the hour."""
        rotator.create(task)
        assert accepts(rotator.create(task).value)
        assert live() == 3


class TestADeployKey(ProviderContract):
    @pytest.fixture
    def rotator(self) -> GithubDeployKey:
        return GithubDeployKey()

    @pytest.fixture
    def task(self, github: Github) -> Task:
        return of_key(github)

    @pytest.fixture
    def accepts(self, github: Github) -> Accepts:
        from openclaw_cli.rotation.rotators import github_deploy_key

        def is_there(value: SecretValue) -> bool:
            public = github_deploy_key._public(Held(value, CURRENT), "it")  # noqa: SLF001
            return any(public.split()[1] in key["key"] for key in github.keys.values())

        return is_there

    @pytest.fixture
    def live(self, github: Github) -> Callable[[], int]:
        return lambda: len(github.keys)

    def wrong(self, value: bytes) -> bytes:
        return generators.parse("ssh").generate().value + value[:0]

    def test_a_lost_reply_adds_no_second_key(
        self, rotator: GithubDeployKey, task: Task, github: Github
    ) -> None:
        task, pending = pending_of(task, rotator.create(task))
        github.fail("POST", "keys", "lost")
        refused(TemporaryError, rotator.set, task, pending)
        rotator.set(task, pending)
        assert len(github.keys) == 2
        done, old = promoted(task)
        github.fail("DELETE", "keys", "lost")
        refused(TemporaryError, rotator.revoke, done, old)
        rotator.revoke(done, old)
        assert len(github.keys) == 1

    def test_it_may_push_only_where_that_was_said(
        self, rotator: GithubDeployKey, github: Github
    ) -> None:
        for write, read_only in (("", True), ("yes", False)):
            task = of_key(github, write=write)
            task, pending = pending_of(task, rotator.create(task))
            rotator.set(task, pending)
            assert list(github.keys.values())[-1]["read_only"] is read_only

    @pytest.mark.parametrize(
        ("settings", "error"),
        [
            ({"repository": "shop"}, ConfigError),
            ({"repository": "ada/../x"}, NotFoundError),
            ({"repository": "ada/other"}, NotFoundError),
            ({"write": "maybe"}, ConfigError),
        ],
    )
    def test_settings_that_cannot_work_are_said_first(
        self,
        rotator: GithubDeployKey,
        github: Github,
        settings: dict[str, str],
        error: type[OpenclawError],
    ) -> None:
        refused(error, rotator.check, of_key(github, **settings))
        assert len(github.keys) == 1


def test_a_token_is_for_what_was_said_and_no_more(github: Github) -> None:
    rotator = GithubApp()
    task = of_app(github, permissions="contents:read", repositories="api, web")
    rotator.check(task)
    made = rotator.create(task)
    assert github.tokens[made.value.reveal().decode()] == {
        "permissions": {"contents": "read"},
        "repositories": ["api", "web"],
    }
    scoped = replace(of_app(github), scope="contents:read")
    made = rotator.create(scoped)
    assert github.tokens[made.value.reveal().decode()]["permissions"] == {"contents": "read"}
    wider = replace(of_app(github, permissions="contents:write"), scope="contents:read")
    refused(ConfigError, rotator.check, wider)


def test_a_deploy_key_that_pushes_is_not_made_for_a_scope_that_reads(github: Github) -> None:
    rotator, task = GithubDeployKey(), of_key(github, write="yes")
    said = refused(ConfigError, rotator.check, replace(task, scope="contents:read"))
    assert said.hint == "--setting write=no"
    rotator.check(replace(task, scope="contents:write"))
    rotator.check(replace(of_key(github), scope="contents:read"))


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"permissions": "issues:write"}, RefusedError),
        ({"permissions": "metadata:write"}, RefusedError),
        ({"permissions": "contents"}, ConfigError),
        ({"installation": "9"}, NotFoundError),
        ({"app": "9"}, DeniedError),
    ],
)
def test_what_the_app_cannot_have_is_said_first(
    github: Github, settings: dict[str, str], error: type[OpenclawError]
) -> None:
    refused(error, GithubApp().check, of_app(github, **settings))


def test_a_suspended_installation_and_a_key_that_is_none_are_said(github: Github) -> None:
    task = of_app(github)
    refused(ConfigError, GithubApp().check, replace(task, secrets={"key": SecretValue(b"x")}))
    github.suspended = True
    assert "suspended" in refused(RefusedError, GithubApp().check, task).message


@pytest.mark.parametrize("how", sorted(set(FAULTS) - {"404"}))
@pytest.mark.parametrize("step", ["check", "create"])
def test_whatever_goes_wrong_is_said_in_our_words_and_then_goes_on(
    github: Github, how: str, step: str
) -> None:
    rotator, task = GithubApp(), of_app(github)
    github.fail("GET" if step == "check" else "POST", "installations", how)
    late = replace(task, deadline=time.monotonic() + 1) if how == "slow" else task
    assert refused(OpenclawError, getattr(rotator, step), late).status in (3, 6, 7, 75)
    github.mend()
    getattr(rotator, step)(task)
