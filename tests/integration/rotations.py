"""What tests of rotators share: a task for one, and its errors, which never quote a service."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from openclaw_cli.errors import OpenclawError
from openclaw_cli.model import CURRENT, SecretValue
from openclaw_cli.rotation.rotator import Held, Task, checked
from openclaw_cli.testing.rotators import TOKEN


def task_of(
    rotator: Any,  # noqa: ANN401 - a rotator, or its class
    name: str,
    value: str,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    handle: str = "",
) -> Task:
    """Return a new rotation of a secret with this value; an empty one is none."""
    return Task(
        name,
        TOKEN,
        time.time(),
        (Held(SecretValue(value.encode()), CURRENT, handle),) if value else (),
        checked(settings, rotator.SETTINGS, rotator.name),
        {key: SecretValue(text.encode()) for key, text in secrets.items() if text},
    )


def refused(error: type[OpenclawError], work: Callable[..., Any], *arguments: Any) -> OpenclawError:  # noqa: ANN401
    """Return the error that this work raises; stand-ins say hunter2, which nobody repeats."""
    with pytest.raises(error) as raised:
        work(*arguments)
    assert "hunter2" not in raised.value.message + raised.value.hint
    return raised.value
