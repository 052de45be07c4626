"""E9: `openclaw status --secrets`, `openclaw status --verbose`, `openclaw status --version`."""

from __future__ import annotations

from openclaw_cli import __version__
from tests.conftest import Openclaw


def test_secrets_health_at_a_glance(openclaw: Openclaw) -> None:
    openclaw("secrets", "create", "openai-api-key", input=b"canary-90aa", check=0)
    shown = openclaw("status", "--secrets", check=0).out
    assert b"openai-api-key" in shown
    assert b"canary" not in shown


def test_everything(openclaw: Openclaw) -> None:
    openclaw("secrets", "create", "openai-api-key", input=b"canary-90aa", check=0)
    shown = openclaw("status", "--verbose", check=0).out.decode()
    for word in ("openai-api-key", "trail", "settings", "agents", "hint:", __version__):
        assert word in shown


def test_the_version(openclaw: Openclaw) -> None:
    assert openclaw("status", "--version", check=0).out.decode() == f"openclaw-cli {__version__}\n"
