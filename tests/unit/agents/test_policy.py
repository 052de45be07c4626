"""What permissions come to: tools, programs, and what the kernel is told."""

from __future__ import annotations

import pytest

from openclaw_cli.agents.policy import Policy, confinement, enough, policy
from openclaw_cli.agents.spec import AgentSpec, Model, Permissions

C13 = Permissions(("read", "write", "exec", "web_search"), ("rm", "delete", "network_connect"))


def of(*allowed: str, denied: tuple[str, ...] = ()) -> Policy:
    return policy(Permissions(allowed, denied))


def test_a_denial_wins() -> None:
    assert policy(C13).verbs == {"read", "write", "exec", "web_search"}
    assert of("read", "delete", denied=("delete",)).verbs == {"read"}
    assert not of("rm", denied=("rm",)).program("rm")


def test_nothing_said_allows_everything_that_is_not_denied() -> None:
    assert of().verbs == {"read", "write", "exec", "delete", "web_search", "network_connect"}
    assert of(denied=("exec",)).verbs == of().verbs - {"exec"}


@pytest.mark.parametrize(
    ("kind", "may"),
    [
        ("read", True),
        ("edit", True),
        ("delete", False),
        ("move", False),
        ("execute", True),
        ("fetch", True),
        ("search", True),
        ("think", True),
        ("switch_mode", False),
        ("other", False),
        ("of-tomorrow", False),
    ],
)
def test_each_kind_of_tool_takes_its_words(kind: str, may: bool) -> None:
    assert policy(C13).tool(kind) is may
    if kind in ("read", "edit", "delete", "move", "execute", "fetch", "search"):
        assert not of("nothing-of-these").tool(kind)


@pytest.mark.parametrize("kind", ["other", "switch_mode", "of-tomorrow"])
def test_a_tool_of_an_unknown_kind_may_be_used_only_where_nothing_is_limited(kind: str) -> None:
    assert of().tool(kind)
    assert not of(denied=("rm",)).tool(kind)
    assert not of("read", "write", "exec", "delete", "web_search", "network_connect").tool(kind)
    assert of(denied=("exec",)).tool("think")


@pytest.mark.parametrize(
    ("command", "may"), [("/bin/rm", False), ("rm", False), ("/usr/bin/git", True), ("", False)]
)
def test_programs_are_told_by_the_last_part_of_their_name(command: str, may: bool) -> None:
    assert policy(C13).program(command) is may


def test_a_program_can_be_allowed_where_others_are_not() -> None:
    found = of("read", "git")
    assert found.program("git")
    assert not found.program("sh")


def test_a_chat_may_reach_its_models_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY")
    spec = AgentSpec("a", model="claude-x", fallback=("local/y", "house"), permissions=C13)
    house = Model("house", "https://house.example:8443/v1", "openai")
    told = confinement(spec, {"house": house}, root="/home/ada/.openclaw")
    assert told["ports"] == [443, 8443, 11434]
    assert confinement(AgentSpec("a", handler="m:f"), {}, root="/r")["ports"] == []


def test_who_requires_landlock_does_not_run_without() -> None:
    assert confinement(AgentSpec("a", require_isolation="landlock"), {}, root="/r")["strict"]
    assert not confinement(AgentSpec("a"), {}, root="/r")["strict"]
    assert enough("landlock", "process")
    assert enough("process", "")
    assert not enough("process", "landlock")
    assert not enough("landlock", "uid")
