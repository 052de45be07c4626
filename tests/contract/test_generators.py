"""Every generator of the table keeps the contract."""

from __future__ import annotations

import pytest

from openclaw_cli.rotation import generators
from openclaw_cli.rotation.generators import Generator
from openclaw_cli.testing.generators import GeneratorContract

SPECS = [
    *(name for name in generators.GENERATORS.ours if name != "rsa"),
    "rsa:2048",  # the quickest
    *(generators.GENERATORS.get(name).example for name in generators.GENERATORS.ours[:3]),
]


class TestEveryGenerator(GeneratorContract):
    @pytest.fixture(params=SPECS)
    def generator(self, request: pytest.FixtureRequest) -> Generator:
        return generators.parse(request.param)
