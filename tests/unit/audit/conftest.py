"""A trail to write into."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.audit.scribe import Scribe


@pytest.fixture
def scribe(tmp_path: Path) -> Scribe:
    return Scribe(str(tmp_path / "audit"))
