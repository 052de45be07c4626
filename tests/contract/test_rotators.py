"""Rotators that need no server keep the contract; the others do in `tests/integration/`."""

from __future__ import annotations

import time

import pytest

from openclaw_cli.errors import RefusedError
from openclaw_cli.model import CURRENT, SecretValue
from openclaw_cli.providers.provider import PERSON
from openclaw_cli.rotation.rotator import Held, Rotator, Task, checked
from openclaw_cli.rotation.rotators import ROTATORS
from openclaw_cli.rotation.rotators.generate import Generate
from openclaw_cli.rotation.rotators.person import Person
from openclaw_cli.testing.rotators import TOKEN, RotatorContract


class TestGenerate(RotatorContract):
    @pytest.fixture
    def rotator(self) -> Generate:
        return Generate()

    @pytest.fixture
    def task(self) -> Task:
        held = (Held(SecretValue(b"what it was"), CURRENT),)
        settings = checked({"kind": "token:hex:32"}, Generate.SETTINGS, "generate")
        return Task("session-secret", TOKEN, time.time(), held, settings)

    def test_it_makes_what_the_setting_says(self, rotator: Rotator, task: Task) -> None:
        assert len(bytes.fromhex(rotator.create(task).value.reveal().decode())) == 32


@pytest.mark.parametrize("name", ROTATORS.ours)
def test_each_line_of_the_table_is_a_rotator_of_that_name(name: str) -> None:
    rotator: Rotator = ROTATORS.get(name)()
    assert rotator.name == name
    assert rotator.SETTINGS is not None


def test_what_a_person_must_do_is_never_done_by_us() -> None:
    rotator = Person()
    assert rotator.kind == PERSON
    with pytest.raises(RefusedError):
        rotator.create(Task("openai-api-key", TOKEN, time.time()))
