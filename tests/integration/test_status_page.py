"""The status page in a real browser: opened by a link, it shows what there is and nothing else."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_cli.gateway import page
from tests.conftest import Openclaw
from tests.gateways import Gateway, running, settings

pytestmark = pytest.mark.integration

NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture
def gateway(openclaw: Openclaw) -> Iterator[Gateway]:
    openclaw("secrets", "create", "openai-api-key", input=b"sk-hunter2", check=0)
    openclaw("secrets", "create", "smtp-password", input=b"hunter3", check=0)
    settings(
        {
            "collect": {"handler": "zoo:echo", "secrets": ["openai-api-key"]},
            "report": {"handler": "zoo:echo", "mode": "session"},
            "wait": {"handler": "zoo:sleep", "max-concurrency": 4, "timeout": "60s"},
        }
    )
    with running(openclaw) as made:
        yield made


def browse(address: str, profile: Path, *more: str) -> str:
    """Load a page as a person would; return the document as it is after some seconds."""
    done = subprocess.run(
        [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-sync",
            "--no-first-run",
            "--enable-logging=stderr",
            f"--user-data-dir={profile}",
            "--window-size=1200,1500",
            "--virtual-time-budget=9000",
            *more,
            address,
        ],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert "Content Security Policy" not in done.stderr, done.stderr
    assert "CONSOLE" not in done.stderr.replace("INFO:CONSOLE", ""), done.stderr
    return done.stdout


def test_the_page_shows_agents_threads_secrets_and_events(
    openclaw: Openclaw, gateway: Gateway, tmp_path: Path
) -> None:
    for number in range(5):
        gateway.agent("collect", number)
    gateway.agent("report", "hello", session="trading-001")
    openclaw("secrets", "get", "smtp-password", env={"OPENCLAW_AGENT": NASTY}, check=6)
    until = time.monotonic() + 20
    while not gateway.ask("/v1/status?verbose").json["observed"]["alerts"]:
        assert time.monotonic() < until
        time.sleep(0.5)
    link = openclaw("gateway", "link", "--json", check=0).json()["link"]
    seen = browse(link, tmp_path / "browser", "--dump-dom")
    for word in ("collect", "report", "trading-001", "openai-api-key", "smtp-password", "landlock"):
        assert word in seen, word
    assert re.search(r"serves on 127\.0\.0\.1:\d+ · up ", seen)
    assert "<polyline" in seen
    assert "unexpected access: smtp-password by " in seen
    assert "<img" not in seen.lower()
    assert "hunter" not in seen
    assert "link?t=" not in seen


def test_it_is_opened_by_a_link_or_a_token_and_by_nothing_else(
    openclaw: Openclaw, gateway: Gateway
) -> None:
    for path in ("/__openclaw__/", "/__openclaw__/page.js", "/__openclaw__/page.css"):
        assert gateway.ask(path, token="").status == 401
        assert gateway.ask(path).status == 200
    link = openclaw("gateway", "link", "--json", check=0).json()["link"]
    path = link.partition(str(gateway.port))[2]
    first = gateway.ask(path, token="")
    assert (first.status, first.headers["location"]) == (303, "/__openclaw__/")
    assert gateway.ask(path, token="").status == 401
    cookie = {"Cookie": first.headers["set-cookie"].partition(";")[0]}
    assert gateway.ask("/__openclaw__/", token="", headers=cookie).status == 200
    assert gateway.ask("/v1/agents/collect", {"input": 1}, token="", headers=cookie).status in (
        401,
        403,
    )


def test_nothing_of_it_comes_from_elsewhere(gateway: Gateway) -> None:
    for path in ("/__openclaw__/", "/__openclaw__/page.js", "/__openclaw__/page.css"):
        answer = gateway.ask(path)
        text = answer.body.decode()
        addresses = set(re.findall(r"(?:https?:)?//[\w.]+", text))
        assert addresses <= {"http://www.w3.org"}, addresses
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert "onclick" not in text
        assert "innerHTML" not in text
        assert "style=" not in text
    assert page.answer("/__openclaw__/../secrets") is None
