"""The anchor in a real keyring: what it knows, what it notices, and what a keyring can do to it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openclaw_cli.store.keys import keyring
from tests.conftest import NIGHTLY, Openclaw, Result
from tests.faults import cases, prepared, tap, world
from tests.faults.conftest import place  # noqa: F401 - a fixture
from tests.faults.test_kill import ahead_of_the_store
from tests.integration.test_keyring import (
    Desktop,
    desktop,  # noqa: F401 - a fixture
    off,  # noqa: F401 - a fixture
)

pytestmark = pytest.mark.integration

Main = Callable[..., Result]


@pytest.fixture
def state(tmp_path: Path, openclaw: Openclaw, desktop: Desktop) -> Path:  # noqa: F811, ARG001
    """Give the state directory of a store that is anchored in the keyring."""
    openclaw("secrets", "set", "key", input=b"one", check=0)
    openclaw("config", "set", "store.anchor", "keyring", check=0)
    openclaw("secrets", "set", "key", input=b"two", check=0)
    return tmp_path / "state"


def known(desktop: Desktop, openclaw: Openclaw) -> tuple[int, int]:  # noqa: F811
    """Return the generation that the keyring knows, as another program sees it, and the store's."""
    store = openclaw("store", "check", "--json", check=0).json()
    found = json.loads(desktop.lookup(f"openclaw/{store['store']}", "anchor"))
    return found["generation"], store["generation"]


def records(openclaw: Openclaw, kind: str) -> list[dict[str, object]]:
    """Return the records of a kind, the newest last."""
    answer = openclaw("secrets", "audit", "--json", "--limit", "0", check=0).json()
    return [each for each in answer["events"] if each["kind"] == kind]


@pytest.mark.usefixtures("state")
def test_each_change_is_noted_as_another_program_sees_it(
    desktop: Desktop,  # noqa: F811
    openclaw: Openclaw,
) -> None:
    first = known(desktop, openclaw)
    assert first[0] == first[1]
    openclaw("secrets", "set", "key", input=b"three", check=0)
    assert known(desktop, openclaw) == (first[0] + 1, first[1] + 1)
    assert len(records(openclaw, "anchor_made")) == 1


def test_what_was_put_back_together_is_not_changed_before_somebody_accepts_it(
    state: Path,
    tmp_path: Path,
    openclaw: Openclaw,
    desktop: Desktop,  # noqa: F811
) -> None:
    shutil.copytree(state, tmp_path / "copy")
    openclaw("secrets", "set", "key", input=b"newer", check=0)
    shutil.rmtree(state)
    shutil.copytree(tmp_path / "copy", state)
    assert openclaw("secrets", "get", "key", check=0).out == b"two"  # a reading asks no keyring
    refused = openclaw("secrets", "set", "key", input=b"x", check=4)
    assert b"the store was put back" in refused.err
    assert b"openclaw store accept-rollback" in refused.err
    openclaw("store", "accept-rollback", "--yes", check=0)
    openclaw("secrets", "set", "key", input=b"x", check=0)
    noted, there = known(desktop, openclaw)
    assert noted == there


@pytest.mark.usefixtures("state")
def test_without_its_keyring_nothing_is_changed_and_everything_read(
    desktop: Desktop,  # noqa: F811
    openclaw: Openclaw,
) -> None:
    desktop.stop()
    began = time.monotonic()
    refused = openclaw("secrets", "set", "key", input=b"x", check=5)
    assert time.monotonic() - began < 15
    assert refused.err.startswith(b"openclaw: ")
    assert openclaw("secrets", "get", "key", check=0).out == b"two"


@pytest.mark.usefixtures("state")
def test_a_keyring_that_hangs_is_given_up_and_nothing_is_changed(
    desktop: Desktop,  # noqa: F811
    main: Main,
    openclaw: Openclaw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keyring, "SECONDS", 1.0)
    desktop.hang()
    assert b"did not answer" in main("secrets", "set", "key", input=b"x", check=5).err
    assert openclaw("secrets", "get", "key", check=0).out == b"two"


@pytest.mark.usefixtures("state")
def test_a_keyring_that_forgot_is_told_again_and_the_trail_says_so(
    desktop: Desktop,  # noqa: F811
    openclaw: Openclaw,
) -> None:
    desktop.stop()
    shutil.rmtree(desktop.folder / "data" / "keyrings")
    (desktop.folder / "data" / "keyrings").mkdir()
    desktop.start()
    openclaw("secrets", "set", "key", input=b"x", check=0)
    assert [each.get("reason") for each in records(openclaw, "anchor_made")] == [None, "lost"]
    noted, there = known(desktop, openclaw)
    assert noted == there


def killed(root: str, template: str, inside: Callable[[], None] | None = None) -> Iterator[int]:
    """Kill a change at one call after another, and use what is left; give each status."""
    line = ("secrets", "set", "kept")
    whole = tap.run(line, world.copied(template, root), given=cases.NEW)
    calls = [call for call in whole.calls if call.kind in tap.CHANGING]
    for at in range(3, len(calls), 1 if NIGHTLY else 13):
        # The keyring stays as it is: it knows the newest of all, as after a commit that was lost.
        world.copied(template, root)
        tap.run(("store", "accept-rollback", "--yes"), root)
        fault = tap.Fault("kill", at, tap.CHANGING)
        tap.run(line, root, given=cases.NEW, fault=fault, inside=inside)
        yield tap.run(line, root, given=cases.NEW).status


@pytest.fixture
def template(place: str, desktop: Desktop) -> str:  # noqa: F811, ARG001
    """Return a state directory whose anchor is the keyring."""
    root = f"{place}/template"
    prepared.prepare(root, "some")
    Path(root, "settings.toml").write_text('store.anchor = "keyring"\n', encoding="ascii")
    return root


def test_a_change_that_was_killed_leaves_an_anchor_that_is_not_ahead(
    template: str,
    place: str,  # noqa: F811
) -> None:
    found = list(killed(f"{place}/state", template))
    assert len(found) > 2
    assert set(found) == {0}


def test_an_anchor_that_is_ahead_would_be_found(
    template: str,
    place: str,  # noqa: F811
) -> None:
    assert 4 in killed(f"{place}/state", template, ahead_of_the_store)
