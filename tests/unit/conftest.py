"""Doubles for unit tests: a real store and trail in the test's own directory."""

from __future__ import annotations

import os

import pytest

from openclaw_cli import assembly
from openclaw_cli.changes import Changes
from openclaw_cli.home import find
from openclaw_cli.service import Secrets
from openclaw_cli.settings import Settings


@pytest.fixture
def secrets() -> Secrets:
    return assembly.secrets(find(os.environ), Settings({}, {}), os.environ)


@pytest.fixture
def changes(secrets: Secrets) -> Changes:
    return assembly.changes(secrets, Settings({}, {}))
