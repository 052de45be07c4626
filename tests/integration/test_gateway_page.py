"""docs/openclaw-gateway.md, typed as a reader would, with the real gateway."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import SCRIPTS
from tests.console.runner import problems
from tests.integration.node_gateway import ROOT, NodeGateway

pytestmark = pytest.mark.integration

PAGE = ROOT / "docs" / "openclaw-gateway.md"


def test_the_page_tells_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = NodeGateway(tmp_path / "gateway")
    named = tmp_path / "gateway" / "bin" / "gateway"  # as the page calls its program
    named.symlink_to(gateway.program)
    monkeypatch.setenv("PATH", f"{SCRIPTS}:{gateway.path}")
    wrong = problems(PAGE.read_text(), tmp_path / "reader")
    assert not wrong, "\n\n".join(wrong)
