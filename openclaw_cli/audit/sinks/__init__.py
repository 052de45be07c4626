"""Where copies of the trail's records go: one file a place, one line here.

`file:///var/log/openclaw.jsonl`, `syslog:`, `https://collector.example/audit`, `qdrant://audit-logs`.
"""

from __future__ import annotations

from openclaw_cli.registry import Registry

SINKS = Registry(
    "audit sink",
    {
        "file": "openclaw_cli.audit.sinks.file:FileSink",
        "syslog": "openclaw_cli.audit.sinks.syslog:SyslogSink",
        "https": "openclaw_cli.audit.sinks.webhook:WebhookSink",
        "http": "openclaw_cli.audit.sinks.webhook:WebhookSink",
        "qdrant": "openclaw_cli.audit.sinks.qdrant:QdrantSink [qdrant]",
    },
)
