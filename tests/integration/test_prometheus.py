"""The rules, the scrape file and `/metrics` as Prometheus itself reads them."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_cli.agents.spec import Monitoring
from openclaw_cli.gateway import prometheus
from tests.conftest import Openclaw
from tests.gateways import Gateway, running, settings

pytestmark = pytest.mark.integration

RULES_TEST = """
rule_files: [rules.yml]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {series: 'openclaw_thread_bound_active{agent="a"}', values: '19x10 1x10'}
      - {series: 'openclaw_thread_bound_active{agent="b"}', values: '18x20'}
      - {series: 'openclaw_thread_bound_max_concurrency{agent="a"}', values: '20x20'}
      - {series: 'openclaw_thread_bound_max_concurrency{agent="b"}', values: '20x20'}
      - {series: 'openclaw_secrets_unexpected_total{secret="db"}', values: '0x4 1x30'}
      - {series: 'openclaw_secrets_rotation_status{secret="db",state="failed"}', values: '0x4 1x30'}
      - {series: 'openclaw_secrets_rotation_status{secret="",state="failed"}', values: '0x4 2x30'}
      - {series: 'openclaw_secrets_rotation_overdue_seconds{secret="db"}', values: '0x4 86401x30'}
      - {series: 'openclaw_secrets_rotation_overdue_seconds{secret=""}', values: '0x4 86401x30'}
    alert_rule_test:
      - {eval_time: 15s, alertname: OpenclawAgentNearConcurrencyLimit, exp_alerts: []}
      - eval_time: 1m
        alertname: OpenclawAgentNearConcurrencyLimit
        exp_alerts:
          - exp_labels: {severity: warning, agent: a}
            exp_annotations: {summary: "Agent a is above 90% of its concurrency"}
      - {eval_time: 4m, alertname: OpenclawAgentNearConcurrencyLimit, exp_alerts: []}
      - {eval_time: 1m, alertname: OpenclawUnexpectedSecretAccess, exp_alerts: []}
      - eval_time: 2m
        alertname: OpenclawUnexpectedSecretAccess
        exp_alerts:
          - exp_labels: {severity: critical, secret: db}
            exp_annotations: {summary: "Unexpected access to the secret db"}
      - eval_time: 2m
        alertname: OpenclawRotationFailed
        exp_alerts:
          - exp_labels: {severity: warning, secret: db, state: failed}
            exp_annotations: {summary: "The rotation of the secret db failed"}
          - exp_labels: {severity: warning, state: failed}
            exp_annotations: {summary: "The rotation of a secret failed"}
      - {eval_time: 1m, alertname: OpenclawRotationOverdue, exp_alerts: []}
      - eval_time: 2m
        alertname: OpenclawRotationOverdue
        exp_alerts:
          - exp_labels: {severity: warning, secret: db}
            exp_annotations: {summary: "The secret db has been due for more than a day"}
          - exp_labels: {severity: warning}
            exp_annotations: {summary: "A secret has been due for more than a day"}
"""


def promtool(*words: str, cwd: Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["promtool", *words], cwd=cwd, input=given, capture_output=True, check=False
    )


@pytest.fixture
def gateway(openclaw: Openclaw) -> Iterator[Gateway]:
    openclaw("secrets", "create", "db", input=b"hunter2", check=0)
    openclaw("secrets", "create", "other", input=b"hunter3", check=0)
    settings({"echo": {"handler": "zoo:echo", "secrets": ["db"], "max-concurrency": 4}})
    with running(openclaw) as made:
        yield made


def metric(text: str, pattern: str) -> float:
    found = re.search(rf"^{pattern} (\S+)$", text, flags=re.MULTILINE)
    assert found, (pattern, text)
    return float(found[1])


def eventually(gateway: Gateway, pattern: str, value: float) -> None:
    until = time.monotonic() + 15
    while True:
        text = gateway.ask("/metrics").body.decode()
        found = re.search(rf"^{pattern} (\S+)$", text, flags=re.MULTILINE)
        if found and float(found[1]) == value:
            return
        assert time.monotonic() < until, text
        time.sleep(0.5)


def test_the_rules_fire_when_they_should(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(prometheus.rules_file(Monitoring()))
    (tmp_path / "test.yml").write_text(RULES_TEST)
    assert promtool("check", "rules", "rules.yml", cwd=tmp_path).returncode == 0
    done = promtool("test", "rules", "test.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    broken = (tmp_path / "rules.yml").read_text().replace("> 0.9", "> 0.99")
    (tmp_path / "rules.yml").write_text(broken)
    assert promtool("test", "rules", "test.yml", cwd=tmp_path).returncode != 0


def test_the_scrape_file_and_the_printed_rules_are_good(openclaw: Openclaw, tmp_path: Path) -> None:
    rules = openclaw("gateway", "alert-rules", check=0).out
    (tmp_path / "openclaw-rules.yml").write_bytes(rules)
    scrape = openclaw("gateway", "alert-rules", "--scrape", check=0).out
    (tmp_path / "prometheus.yml").write_bytes(scrape)
    done = promtool("check", "config", "prometheus.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"127.0.0.1:18789" in scrape


def test_a_line_of_the_trail_that_cannot_be_read_is_counted(gateway: Gateway) -> None:
    eventually(gateway, r'openclaw_secrets_unexpected_total\{secret="db"\}', 0)
    with (gateway.state / "audit" / "trail.jsonl").open("ab") as written:
        written.write(b'{"seq":99,"kind":"secret_reveal","actor":{"thread":"\\ud800"}}\n')
    eventually(gateway, r'openclaw_secrets_unexpected_total\{secret="\(unreadable\)"\}', 1)


def test_the_dashboard_asks_for_metrics_that_there_are(
    openclaw: Openclaw, gateway: Gateway
) -> None:
    gateway.agent("echo", 1)
    eventually(gateway, r'openclaw_secrets_access_total\{outcome="ok",secret="db"\}', 1)
    text = gateway.ask("/metrics", token="").body.decode()
    dashboard: dict[str, Any] = json.loads(
        openclaw("gateway", "alert-rules", "--dashboard", check=0).out
    )
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"openclaw_\w+", target["expr"])
    }
    assert len(asked) > 12
    for name in asked:
        assert f"# HELP {name.removesuffix('_total').removesuffix('_bucket')}" in text, name


def test_metrics_are_well_formed_and_count_what_everybody_does(
    openclaw: Openclaw, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.agent("echo", 1)
    openclaw("secrets", "get", "db", check=0)
    openclaw("secrets", "get", "other", env={"OPENCLAW_AGENT": "stranger"}, check=6)
    eventually(gateway, r'openclaw_secrets_access_total\{outcome="ok",secret="db"\}', 2)
    eventually(gateway, r'openclaw_secrets_access_total\{outcome="denied",secret="other"\}', 1)
    eventually(gateway, r'openclaw_alert_active\{rule="unexpected_access"\}', 1)
    text = gateway.ask("/metrics").body
    done = promtool("check", "metrics", cwd=tmp_path, given=text)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = text.decode()
    assert metric(shown, r'openclaw_secrets_unexpected_total\{secret="other"\}') == 1
    assert metric(shown, r'openclaw_secrets_unexpected_total\{secret="db"\}') == 0
    assert metric(shown, r'openclaw_secrets_rotation_status\{secret="db",state="none"\}') == 1
    assert metric(shown, r'openclaw_secrets_rotation_overdue_seconds\{secret="db"\}') == 0
    assert metric(shown, r'openclaw_secrets_rotation_failures_total\{secret="db"\}') == 0
    assert 0 < metric(shown, r'openclaw_secrets_exposure_risk\{secret="db"\}') <= 100
    alerts = [each for each in gateway.log() if each["event"] == "alert"]
    assert alerts[-1]["about"] == ["other by stranger"]
    assert b"hunter" not in text
    unnamed = gateway.ask("/metrics", token="").body
    done = promtool("check", "metrics", cwd=tmp_path, given=unnamed)
    assert done.returncode == 0, done.stdout + done.stderr
    together = unnamed.decode()
    assert set(re.findall(r'secret="([^"]*)"', together)) == {""}
    assert "other" not in together
    access = r'openclaw_secrets_access_total\{outcome="%s",secret=""\}'
    assert metric(together, access % "ok") == 2
    assert metric(together, access % "denied") == 1
    assert metric(together, r'openclaw_secrets_unexpected_total\{secret=""\}') == 1
    assert metric(together, r'openclaw_secrets_rotation_status\{secret="",state="none"\}') == 2
    assert metric(together, r'openclaw_secrets_rotation_overdue_seconds\{secret=""\}') == 0
    risk = r'openclaw_secrets_exposure_risk\{secret="%s"\}'
    worst = max(metric(shown, risk % each) for each in ("db", "other"))
    assert metric(together, risk % "") == worst


def test_metrics_are_open_to_nobody_through_a_proxy(openclaw: Openclaw) -> None:
    through = {"X-Forwarded-For": "203.0.113.7"}
    settings({"echo": {"handler": "zoo:echo"}})
    with running(openclaw) as gateway:
        assert gateway.ask("/metrics", token="").status == 200
        assert gateway.ask("/metrics", token="a-token-that-nobody-gave").status == 401
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            assert gateway.ask("/metrics", token="", headers={header: "127.0.0.1"}).status == 403
    settings({"echo": {"handler": "zoo:echo"}}, gateway={"port": 0, "trustedProxies": "127.0.0.1"})
    with running(openclaw) as gateway:
        assert gateway.ask("/metrics", token="").status == 401
        assert gateway.ask("/metrics", token="", headers=through).status == 401
        assert gateway.ask("/metrics", headers=through).status == 200


def test_c14_only_the_metrics_that_are_chosen(openclaw: Openclaw) -> None:
    openclaw("secrets", "create", "db", input=b"hunter2", check=0)
    chosen = {"secrets": {"metrics": ["exposure-risk"]}}
    settings({"echo": {"handler": "zoo:echo"}}, monitoring=chosen)
    with running(openclaw) as gateway:
        eventually(gateway, r'openclaw_alert_active\{rule="concurrency"\}', 0)
        text = gateway.ask("/metrics", token="").body.decode()
        assert "openclaw_secrets_exposure_risk" in text
        assert "openclaw_secrets_access" not in text
        assert "openclaw_secrets_rotation" not in text


@pytest.mark.slow
def test_prometheus_scrapes_the_gateway(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "openclaw-rules.yml").write_text(prometheus.rules_file(Monitoring()))
    scrape = prometheus.SCRAPE.replace("18789", str(gateway.port)).replace("15s", "1s")
    (tmp_path / "prometheus.yml").write_text(scrape)
    port = free_port()
    server = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 30
        while True:
            try:
                asked = f"http://127.0.0.1:{port}/api/v1/query?query=openclaw_thread_bound_up"
                with urllib.request.urlopen(asked, timeout=2) as answer:
                    found = json.load(answer)["data"]["result"]
            except OSError:
                found = []
            if found:
                break
            assert time.monotonic() < until
            time.sleep(0.5)
        assert found[0]["metric"]["agent"] == "echo"
        assert found[0]["metric"]["job"] == "openclaw"
    finally:
        server.kill()
        server.wait()


def free_port() -> int:
    import socket

    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])
