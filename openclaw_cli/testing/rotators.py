"""What every rotator promises. Needs pytest.

class TestAcme(ProviderContract):
    @pytest.fixture
    def rotator(self):
        return Acme()

    @pytest.fixture
    def task(self, acme):         # whose current value the service accepts
        return Task("acme-key", TOKEN, time.time(), held=(Held(..., CURRENT),), settings=...)

    @pytest.fixture
    def accepts(self, acme):      # asked by another road than the rotator's own
        return acme.accepts

    @pytest.fixture
    def live(self, acme):         # how many values the service accepts
        return acme.count
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from openclaw_cli.errors import ConfigError, OpenclawError, RefusedError, TemporaryError
from openclaw_cli.model import CURRENT, MAX_VALUE, PENDING, PREVIOUS, SecretValue
from openclaw_cli.providers.provider import CHOSEN, MINTED, PERSON
from openclaw_cli.rotation.rotator import Held, Made, Rotator, Task, checked

TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105  names a rotation, opens nothing
OTHER = "fedcba9876543210fedcba9876543210"

Accepts = Callable[[SecretValue], bool]


def pending_of(task: Task, made: Made) -> tuple[Task, Held]:
    """Return the task as it is once the new value is kept, and that value."""
    held = Held(made.value, PENDING, made.handle)
    return replace(task, held=(*task.held, held)), held


def promoted(task: Task) -> tuple[Task, Held]:
    """Return the task after promotion, and the value before."""
    word = {CURRENT: PREVIOUS, PENDING: CURRENT}
    after = replace(task, held=tuple(replace(each, stage=word[each.stage]) for each in task.held))
    assert after.previous
    return after, after.previous


class RotatorContract:
    """What all of them promise that make a value."""

    @pytest.fixture
    def rotator(self) -> Any:  # noqa: ANN401 - of the class that is tested
        raise NotImplementedError

    @pytest.fixture
    def task(self) -> Task:
        raise NotImplementedError

    def test_its_kind_is_one_that_there_is(self, rotator: Rotator) -> None:
        assert rotator.kind in (CHOSEN, MINTED, PERSON)
        assert rotator.name

    def test_its_settings_are_said(self, rotator: Rotator) -> None:
        for each in rotator.SETTINGS:
            assert each.name == each.name.lower()
            assert each.meaning.endswith(".")

    def test_a_setting_it_does_not_have_is_refused(self, rotator: Rotator) -> None:
        with pytest.raises(ConfigError):
            checked({"no-such-setting": "x"}, rotator.SETTINGS, rotator.name)

    def test_the_new_value_is_another_one_and_fits_a_version(
        self, rotator: Rotator, task: Task
    ) -> None:
        rotator.check(task)
        made = rotator.create(task)
        assert 0 < len(made.value) <= MAX_VALUE
        assert not task.current or made.value.reveal() != task.current.value.reveal()

    def test_each_step_may_be_repeated(self, rotator: Rotator, task: Task) -> None:
        task, pending = pending_of(task, rotator.create(task))
        for _ in range(2):
            rotator.set(task, pending)
            rotator.test(task, pending)
        if task.current:
            task, old = promoted(task)
            rotator.revoke(task, old)
            rotator.revoke(task, old)


class ProviderContract(RotatorContract):
    """What those promise that talk to a service."""

    @pytest.fixture
    def accepts(self) -> Accepts:
        raise NotImplementedError

    @pytest.fixture
    def live(self) -> Callable[[], int]:
        raise NotImplementedError

    def test_the_check_changes_nothing(
        self, rotator: Rotator, task: Task, accepts: Accepts, live: Callable[[], int]
    ) -> None:
        before = live()
        rotator.check(task)
        assert live() == before
        assert task.current
        assert accepts(task.current.value)

    def test_a_chosen_value_is_not_accepted_before_it_is_set(
        self, rotator: Rotator, task: Task, accepts: Accepts
    ) -> None:
        made = rotator.create(task)
        assert accepts(made.value) is (rotator.kind == MINTED)
        assert task.current
        assert accepts(task.current.value)

    def test_a_value_that_was_set_is_accepted(
        self, rotator: Rotator, task: Task, accepts: Accepts
    ) -> None:
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        rotator.test(task, pending)
        assert accepts(pending.value)
        assert task.current
        assert accepts(task.current.value) is rotator.overlaps(task.settings)

    def test_a_revoked_value_is_not_accepted_and_the_new_one_is(
        self, rotator: Rotator, task: Task, accepts: Accepts
    ) -> None:
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        task, old = promoted(task)
        rotator.revoke(task, old)
        rotator.revoke(task, old)
        assert not accepts(old.value)
        assert accepts(pending.value)

    def test_after_an_undo_all_is_as_before(
        self, rotator: Rotator, task: Task, accepts: Accepts, live: Callable[[], int]
    ) -> None:
        before = live()
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        rotator.undo(task, pending)
        rotator.undo(task, pending)
        assert not accepts(pending.value)
        assert task.current
        assert accepts(task.current.value)
        assert live() == before

    def test_a_value_that_was_never_kept_leaves_no_orphan(
        self, rotator: Rotator, task: Task, accepts: Accepts, live: Callable[[], int]
    ) -> None:
        lost = rotator.create(task)  # killed here: nobody holds it
        kept = rotator.create(task)
        task, pending = pending_of(task, kept)
        rotator.set(task, pending)
        assert not accepts(lost.value)
        assert live() <= 2  # noqa: PLR2004 - the current and the new one

    def test_a_value_that_it_never_accepted_fails_the_test(
        self, rotator: Rotator, task: Task
    ) -> None:
        made = rotator.create(task)
        assert task.current
        wrong = SecretValue(self.wrong(made.value.reveal()))
        with pytest.raises(RefusedError) as refused:
            rotator.test(task, Held(wrong, PENDING, made.handle))
        _says_no_value(refused.value, wrong)

    def test_no_time_left_is_a_reason_to_come_again(self, rotator: Rotator, task: Task) -> None:
        assert task.current
        late = replace(task, deadline=time.monotonic() - 1)
        with pytest.raises(TemporaryError):
            rotator.test(late, task.current)

    def wrong(self, value: bytes) -> bytes:
        """Return a value of the same shape that the service never saw."""
        last = value.rstrip(b'"}]\n ')[-1:]
        place = value.rindex(last)
        return value[:place] + (b"A" if last != b"A" else b"B") + value[place + 1 :]


def _says_no_value(error: OpenclawError, value: SecretValue) -> None:
    said = f"{error.message} {error.hint}"
    assert value.reveal().decode(errors="replace") not in said
