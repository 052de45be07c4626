"""The tutorial `unattended-rotation.md` runs on a real PostgreSQL and on moto, and then for weeks.

`psql` is the real one. Moto is strict: keys, signatures and policies are checked.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.conftest import SCRIPTS
from tests.console.runner import problems
from tests.integration.moto_server import REGION, Moto
from tests.integration.postgres_server import ADMIN, PASSWORD, PostgresServer

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial" / "unattended-rotation.md"
COMMAND = ROOT / "tests" / "integration" / "aws_command.py"


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


@pytest.fixture
def reader(tmp_path: Path, postgres: PostgresServer, moto: Moto) -> Path:
    """Make the home of a reader who has what the page says one needs."""
    home = tmp_path / "reader"
    for folder in (home, home / "bin", home / ".aws"):
        folder.mkdir(mode=0o700)
    (home / ".pgpass").write_text(f"127.0.0.1:{postgres.port}:*:{ADMIN}:{PASSWORD}\n")
    id_, secret = moto.user()
    endpoint = f"[default]\nregion = {REGION}\nendpoint_url = {moto.address}\n"
    (home / ".aws" / "config").write_text(endpoint)
    key = f"aws_access_key_id = {id_}\naws_secret_access_key = {secret}\n"
    (home / ".aws" / "credentials").write_text(f"[default]\n{key}")
    aws = home / "bin" / "aws"
    aws.write_text(f'#!/bin/sh\nexec {sys.executable} {COMMAND} "$@"\n')
    aws.chmod(0o700)
    return home


class Cron:
    """Runs the crontab's line at some time to come, with the environment that cron gives."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
        faketime = shutil.which("faketime")
        assert faketime, "faketime is not installed: scripts/system-packages.sh tests"
        self._faketime = faketime

    def __call__(self, when: str) -> None:
        done = self._run(when, "secrets", "rotate", "--due")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

    def version(self, when: str, name: str) -> int:
        versions = json.loads(self._run(when, "secrets", "history", name, "--json").stdout)
        return next(
            int(each["version"]) for each in versions["versions"] if each["stage"] == "current"
        )

    def value(self, when: str, name: str) -> str:
        return self._run(when, "secrets", "get", name).stdout.decode()

    def _run(self, when: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self._faketime, when, f"{SCRIPTS}/openclaw", *arguments],
            env=self._env,
            cwd=self._home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )


def test_the_page_tells_the_truth_and_cron_goes_on_for_weeks(
    reader: Path, postgres: PostgresServer, moto: Moto
) -> None:
    page = PAGE.read_text().replace("127.0.0.1:5432", postgres.address)
    page = page.replace("-p 5432", f"-p {postgres.port}")
    path = f"{reader / 'bin'}:{os.environ['PATH']}"
    looking = moto.user()
    with moto.strict():
        wrong = problems(page, reader, {"PATH": path, "NO_PROXY": "127.0.0.1"})
        assert not wrong, "\n\n".join(wrong)
        cron = Cron(reader)
        before = {name: cron.version("+0 seconds", name) for name in ("shop-db", "uploader-key")}
        for week in range(1, 4):
            due = f"+{week * 8} days"
            cron(due)
            cron(due)  # a second one finds nothing to do
            for name, version in before.items():
                assert cron.version(due, name) == version + week
            assert _signs_in(postgres, cron.value(due, "shop-db"))
            assert _keys(moto, looking, cron.value(due, "uploader-key")) == 2
            later = f"+{week * 8 * 24 + 2} hours"  # the grace time is over
            cron(later)
            assert _signs_in(postgres, cron.value(later, "shop-db"))
            assert _keys(moto, looking, cron.value(later, "uploader-key")) == 1
    assert cron.version("+25 days", "db-rotator") == 2
    cron("+40 days")
    assert cron.version("+40 days", "db-rotator") == 3


def _signs_in(postgres: PostgresServer, url: str) -> bool:
    match = re.fullmatch(r"postgresql://(shop_[ab]):([^@]+)@.*", url)
    assert match
    return postgres.accepts(match[1], unquote(match[2]))


def _keys(moto: Moto, looking: tuple[str, str], value: str) -> int:
    """Sign in with a key; return how many its user has."""
    found = json.loads(value)
    key = found["AccessKeyId"], found["SecretAccessKey"]
    _client(moto, "sts", key).get_caller_identity()
    listed = _client(moto, "iam", looking).list_access_keys(UserName="uploader")
    return len(listed["AccessKeyMetadata"])


def _client(moto: Moto, service: str, key: tuple[str, str]) -> Any:  # noqa: ANN401
    import boto3

    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=moto.address,
        aws_access_key_id=key[0],
        aws_secret_access_key=key[1],
    )
