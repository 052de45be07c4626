"""The alerts as rules of Prometheus, what it needs to ask the gateway, and a Grafana dashboard."""

from __future__ import annotations

from importlib.resources import files

from openclaw_cli.agents.spec import Monitoring


def rules_file(wanted: Monitoring) -> str:
    """Return the same rules as a file for Prometheus, whose Alertmanager can route them."""
    share, span = wanted.concurrency, f"{wanted.concurrency_for:g}s"
    return _RULES.format(
        share=share,
        percent=f"{share:.0%}",
        span=span,
        secret=_WHICH.format("the", "a"),
        sentence=_WHICH.format("The", "A"),
    )


def dashboard() -> str:
    """Return a dashboard of everything that `/metrics` has, to import into Grafana."""
    return files("openclaw_cli.gateway").joinpath("grafana.json").read_text(encoding="utf-8")


_WHICH = (
    "{{{{ if $labels.secret }}}}{} secret {{{{ $labels.secret }}}}"
    "{{{{ else }}}}{} secret{{{{ end }}}}"
)
"""A secret by its name, where what was scraped has names."""

_RULES = """\
groups:
  - name: openclaw
    rules:
      - alert: OpenclawAgentNearConcurrencyLimit
        expr: openclaw_thread_bound_active / openclaw_thread_bound_max_concurrency > {share}
        for: {span}
        labels:
          severity: warning
        annotations:
          summary: "Agent {{{{ $labels.agent }}}} is above {percent} of its concurrency"
      - alert: OpenclawUnexpectedSecretAccess
        expr: increase(openclaw_secrets_unexpected_total[5m]) > 0
        labels:
          severity: critical
        annotations:
          summary: "Unexpected access to {secret}"
      - alert: OpenclawRotationFailed
        expr: openclaw_secrets_rotation_status{{state="failed"}} > 0
        labels:
          severity: warning
        annotations:
          summary: "The rotation of {secret} failed"
      - alert: OpenclawRotationOverdue
        expr: openclaw_secrets_rotation_overdue_seconds > 86400
        labels:
          severity: warning
        annotations:
          summary: "{sentence} has been due for more than a day"
      - alert: OpenclawGatewayDown
        expr: up{{job="openclaw"}} == 0
        for: 1m
        labels:
          severity: critical
        annotations:
          summary: "The openclaw gateway at {{{{ $labels.instance }}}} does not answer"
"""

SCRAPE = """\
# For Prometheus, to ask the gateway of this machine: prometheus --config.file=prometheus.yml
# Secrets have their names only for a token of scope read, from gateway/tokens.toml, in a file:
#     authorization:
#       credentials_file: /etc/prometheus/openclaw.token
global:
  scrape_interval: 15s
rule_files:
  - openclaw-rules.yml # openclaw gateway alert-rules > openclaw-rules.yml
scrape_configs:
  - job_name: openclaw
    static_configs:
      - targets: ["127.0.0.1:18789"]
"""
