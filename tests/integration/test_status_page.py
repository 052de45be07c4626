"""The status page in a real browser: opened by a link, it shows what there is and nothing else."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
            *more,  # the last of two sizes is the one
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
    assert "unexpected access: <bdi>smtp-password by " in seen
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


def test_of_many_agents_those_that_work_or_fail_are_seen_at_once(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    many = {f"idle-{number:02}": {"handler": "zoo:echo"} for number in range(48)}
    settings(
        {
            **many,
            "wait": {"handler": "zoo:sleep", "timeout": "60s"},
            "broken": {"handler": "nowhere:nothing"},
        }
    )
    with running(openclaw) as gateway, ThreadPoolExecutor() as pool:
        pool.submit(gateway.agent, "wait", 15)
        openclaw("secrets", "get", "x", env={"OPENCLAW_AGENT": "\u6536\u96c6\u54e1"}, check=6)
        until = time.monotonic() + 20
        while not _busy_and_alerted(gateway):
            assert time.monotonic() < until
            time.sleep(0.5)
        link = openclaw("gateway", "link", "--json", check=0).json()["link"]
        seen = browse(link, tmp_path / "browser", "--window-size=390,800", "--dump-dom")
    rows = re.findall(r"<tr><td[^>]*>(.*?)</td>", seen)
    assert (
        rows[0] == "<span>broken<small>nowhere:nothing: there is no module nowhere</small></span>"
    )
    legend = seen.partition('id="legend"')[2].partition("</figcaption>")[0]
    assert re.findall(r"</svg>([\w-]+)", legend) == ["wait"]
    assert "and 49 more agents, which did less" in legend
    assert "<bdi>x by \u6536\u96c6\u54e1</bdi>" in seen


def _busy_and_alerted(gateway: Gateway) -> bool:
    seen = gateway.ask("/v1/status?verbose").json["observed"]
    return bool(seen["alerts"] and seen["history"][-1]["active"]["wait"])


def test_without_agents_it_says_so(openclaw: Openclaw, tmp_path: Path) -> None:
    settings({})
    with running(openclaw):
        link = openclaw("gateway", "link", "--json", check=0).json()["link"]
        seen = browse(link, tmp_path / "browser", "--dump-dom")
    for words in ("the settings have no agent", "no thread is kept", "the store has no secret"):
        assert words in seen


def test_the_page_can_be_listened_to(gateway: Gateway, tmp_path: Path, openclaw: Openclaw) -> None:
    link = openclaw("gateway", "link", "--json", check=0).json()["link"]
    seen = browse(link, tmp_path / "browser", "--dump-dom")
    for table in ("agents", "threads", "secrets", "events"):
        assert f'<table id="{table}" aria-labelledby="of-{table}">' in seen
        assert f'<h2 id="of-{table}">' in seen
    assert "<th>" not in seen.replace('<th scope="col">', "")
    assert 'aria-live="polite"' not in seen  # "up 26s", every two seconds
    assert '<p id="said" role="status"></p>' in seen
    assert gateway.pid
