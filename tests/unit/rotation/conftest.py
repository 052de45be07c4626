"""What tests of rotation share."""

from __future__ import annotations

import os
import time

import pytest

from openclaw_cli import assembly
from openclaw_cli.home import find
from openclaw_cli.settings import Settings
from tests.unit.rotation.world import World


@pytest.fixture
def one_in_the_morning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be that for this process: what comes each day comes in no test by the hour it is."""
    now, real, real_ns = time.time(), time.time, time.time_ns
    early = round(time.mktime((*time.localtime(now)[:3], 1, 0, 0, 0, 0, -1)) - now)
    monkeypatch.setattr(time, "time", lambda: real() + early)
    monkeypatch.setattr(time, "time_ns", lambda: real_ns() + early * 1_000_000_000)


@pytest.fixture
def world(one_in_the_morning: None) -> World:  # noqa: ARG001
    secrets = assembly.secrets(find(os.environ), Settings({}, {}), os.environ)
    return World(secrets, assembly.changes(secrets, Settings({}, {})))
