"""A user id for each agent: which one it is, and when there is none to be had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_cli.agents.spec import UID, AgentSpec
from openclaw_cli.errors import ConfigError
from openclaw_cli.runtime import owner
from openclaw_cli.runtime.plan import check_owners, plan
from tests import others

CLAIMS = """
from openclaw_cli.runtime import owner
try:
    print("claimed", owner.claim(77))
except owner.Unowned as refused:
    print(refused)
"""


def told(name: str, folder: str = "/home/ada/.openclaw/handlers") -> int:
    spec = AgentSpec(name, handler="a:b", require_isolation=UID)
    return int(plan(spec, {}, folder=folder, confine={})["owner"])


def test_an_agent_has_the_same_id_each_time_and_no_other_has_it() -> None:
    assert told("collect") == told("collect")
    names = [f"agent-{number}" for number in range(20)]
    assert len({told(name) for name in names}) == len(names)
    assert told("collect") != told("collect", "/home/eve/.openclaw/handlers")
    assert all(0 < told(name) < owner.COUNT for name in names)


def test_two_agents_that_come_to_the_same_id_are_refused() -> None:
    specs = [AgentSpec(f"a{number}", handler="a:b", require_isolation=UID) for number in range(700)]
    with pytest.raises(ConfigError, match=r"a\d+ and a\d+ have the same user id"):
        check_owners(specs, "/f")
    check_owners([AgentSpec(each.name, handler="a:b") for each in specs], "/f")


def test_no_id_is_taken_unless_it_is_asked_for() -> None:
    assert plan(AgentSpec("x", handler="a:b"), {}, folder="/f", confine={})["owner"] == 0


def test_ids_set_aside_are_found_by_name_or_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "subuid"
    monkeypatch.setattr(os, "getuid", lambda: 65534)
    for text in ("ada:5:65536\nnobody:100000:65536\n", "65534:100000:65536\n"):
        file.write_text(text)
        assert owner._set_aside(str(file)) == 100_000  # noqa: SLF001
    for text in ("", "nobody:100000:1000\n", "nobody:x:y\n", "nobody\n", "ada:1:65536\n"):
        file.write_text(text)
        with pytest.raises(owner.Unowned, match="sets no 65536 ids aside"):
            owner._set_aside(str(file))  # noqa: SLF001


def test_what_another_user_cannot_read_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)  # and so are the folders above it
    for path in (tmp_path, tmp_path / "there is none"):
        with pytest.raises(owner.Unowned, match="another user id cannot read"):
            owner.check(owner.FIRST + 1, ["/usr", str(path)])
    owner.check(owner.FIRST + 1, ["/usr", "/usr/nothing-there", "relative"])


def test_an_id_that_cannot_be_taken_is_told(tmp_path: Path) -> None:
    code = CLAIMS.replace("owner.claim(77)", "owner.check(77, [])")
    argv = [*others.reachable(tmp_path), *others.AS_NOBODY, sys.executable, "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=others.ROOT, check=True)
    assert done.stdout.startswith("this system lets nobody here become the user id 77"), done


def test_a_user_for_whom_nothing_is_set_aside_is_told_so(tmp_path: Path) -> None:
    argv = [*others.reachable(tmp_path), *others.AS_NOBODY, sys.executable, "-c", CLAIMS]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=others.ROOT, check=True)
    assert done.stdout.startswith("/etc/subuid sets no 65536 ids aside"), done
