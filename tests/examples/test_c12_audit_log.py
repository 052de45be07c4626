"""C12: which events are copied and where to by a running gateway; the local trail is kept."""

from __future__ import annotations

import json
import time
from pathlib import Path

from openclaw_cli.audit.sinks.sink import opened
from tests.conftest import Openclaw
from tests.gateways import running, settings

CAPTURE = ["secret_reveal", "thread_spawn", "agent_exec"]


def test_c12_copies_go_to_a_file_and_to_qdrant(openclaw: Openclaw, tmp_path: Path) -> None:
    openclaw("secrets", "create", "db", input=b"hunter2", check=0)
    copy = tmp_path / "copy.jsonl"
    log = {
        "enabled": True,
        "capture": CAPTURE,
        "storage": ["qdrant://audit-logs", f"file://{copy}", "http://127.0.0.1:1/T0KEN?k=T0KEN"],
    }
    settings({"echo": {"handler": "zoo:echo", "secrets": ["db"]}}, auditLog=log)
    with running(openclaw) as gateway:
        assert gateway.agent("echo", 1).status == 200
        until = time.monotonic() + 40
        kinds: set[str] = set()
        text = ""
        while kinds != set(CAPTURE):
            assert time.monotonic() < until, kinds
            time.sleep(0.5)
            text = copy.read_text() if copy.exists() else ""
            kinds = {json.loads(line)["kind"] for line in text.splitlines()}
        assert "hunter2" not in text
        while not (told := [each for each in gateway.log() if each["event"] == "audit_copy"]):
            assert time.monotonic() < until
            time.sleep(0.5)
        assert told[0]["to"] == "http://127.0.0.1:1"
        status = gateway.ask("/v1/status?verbose")
        assert status.json["observed"]["copies"]["http://127.0.0.1:1"].endswith("reached")
        for said in (status.body, (gateway.state / "logs" / "agent.log").read_bytes()):
            assert b"T0KEN" not in said
        assert "T0KEN" not in (gateway.state / "audit" / "shipped").read_text()
        state = str(gateway.state)
    sink = opened("qdrant://audit-logs", state)
    points, _ = sink._client.scroll("audit-logs", limit=1000)  # type: ignore[attr-defined]  # noqa: SLF001
    sink.close()
    assert {point.payload["kind"] for point in points} == set(CAPTURE)
    kept = openclaw("secrets", "audit", "--json", check=0).json()["events"]
    assert "secret_create" in {each["kind"] for each in kept}
