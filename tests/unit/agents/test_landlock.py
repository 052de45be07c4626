"""The rules that an agent's confinement comes to, before the kernel has them."""

from __future__ import annotations

import os
import site
import sys
from collections import Counter
from pathlib import Path

import pytest

from openclaw_cli.agents import landlock
from openclaw_cli.agents.policy import confinement
from openclaw_cli.agents.spec import AgentSpec


class Kept(landlock.Rules):
    """Rules that are kept instead of given to the kernel."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int]] = []

    def allow(self, path: str, rights: int) -> None:
        """Keep a rule."""
        self.found.append((path, rights))

    def connect(self, port: int) -> None:
        """Keep nothing of ports."""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "crowded" / "state"
    (made / "secrets").mkdir(parents=True)
    (made / "handlers").mkdir()
    for number in range(500):
        (tmp_path / "crowded" / f"beside-{number}").touch()
    return made


def rules(state: Path) -> Kept:
    spec = AgentSpec("a", handler="a:b")
    kept = Kept()
    code = [str(state / "handlers")]
    landlock._allow(kept, confinement(spec, {}, root=str(state), code=code))  # noqa: SLF001
    return kept


def test_what_lies_beside_the_state_directory_takes_one_rule_each(state: Path) -> None:
    found = rules(state).found
    beside = [path for path, _ in found if "/beside-" in path]
    assert len(beside) == len(set(beside)) == 500
    both = landlock._VERBS["read"] | landlock._VERBS["write"]  # noqa: SLF001
    assert all(rights & both == both for path, rights in found if "/beside-" in path)


def test_no_code_that_we_run_is_the_agents_to_write(state: Path) -> None:
    package = str(Path(landlock.__file__).parents[1])
    code = [*sys.path, sys.base_prefix, package, site.getusersitepackages()]
    changing = landlock._VERBS["write"] | landlock._VERBS["delete"]  # noqa: SLF001
    written = [path for path, rights in rules(state).found if rights & changing]
    assert written
    for each in filter(os.path.isabs, code):
        place = os.path.realpath(each)
        assert not [path for path in written if f"{place}/".startswith(f"{path}/")], each
        assert not [path for path in written if path.startswith(f"{place}/")], each


def test_no_rule_covers_the_secrets_and_handlers_are_read_alone(state: Path) -> None:
    of_place: Counter[str] = Counter()
    for path, rights in rules(state).found:
        of_place[path] |= rights
    for folder in (state, *state.parents):
        assert of_place[str(folder)] & ~landlock._LIST == 0  # noqa: SLF001
    assert not any(each.startswith(str(state / "secrets")) for each in of_place)
    handlers = of_place[str(state / "handlers")]
    assert handlers & landlock._VERBS["read"]  # noqa: SLF001
    assert not handlers & landlock._WRITE  # noqa: SLF001
