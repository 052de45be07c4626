"""What tests of rotation share."""

from __future__ import annotations

import os

import pytest

from openclaw_cli import assembly
from openclaw_cli.home import find
from openclaw_cli.settings import Settings
from tests.unit.rotation.world import World


@pytest.fixture
def world() -> World:
    secrets = assembly.secrets(find(os.environ), Settings({}, {}), os.environ)
    return World(secrets, assembly.changes(secrets, Settings({}, {})))
