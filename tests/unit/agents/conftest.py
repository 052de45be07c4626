"""A configuration from a document, as every test of agents makes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from openclaw_cli.agents.building import build
from openclaw_cli.agents.config import Said, read
from openclaw_cli.agents.spec import Configuration

Built = Callable[..., Configuration]


@pytest.fixture
def said() -> Callable[..., Said]:
    def reading(document: Mapping[str, Any], *, shared: bool = True) -> Said:
        return read(document, "/conf", shared=shared)

    return reading


@pytest.fixture
def built(said: Callable[..., Said]) -> Built:
    """Build a configuration of documents, the weakest first; none may have a mistake."""

    def building(*documents: Mapping[str, Any]) -> Configuration:
        found = [said(each) for each in documents]
        assert [each.slips for each in found] == [[] for _ in found]
        return build(found)

    return building
