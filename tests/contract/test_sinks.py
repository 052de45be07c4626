"""What every audit sink promises, each with the real thing at its other end."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from openclaw_cli.audit.sinks import SINKS, webhook
from openclaw_cli.audit.sinks.address import QDRANT_KEY_FILE, of_qdrant, shown
from openclaw_cli.audit.sinks.sink import Sink, opened
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)

Record = dict[str, Any]


def record(number: int, **more: Any) -> Record:  # noqa: ANN401
    return {
        "seq": number,
        "at": "2026-11-20T12:00:00.000000Z",
        "kind": "secret_reveal",
        "name": "db",
        "outcome": "ok",
        "actor": {"uid": 0, "agent": "mailer"},
        "mac": f"{number:064x}",
        **more,
    }


def lines(*records: Record) -> list[bytes]:
    return [json.dumps(each).encode() + b"\n" for each in records]


class SinkContract:
    """Inherit it and give `address`, and `came`: the records that the other end has, any order."""

    @pytest.fixture
    def address(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def came(self) -> Callable[[int], list[Record]]:
        raise NotImplementedError

    @pytest.fixture
    def sink(self, address: str, tmp_path: Path) -> Iterator[Sink]:
        made = opened(address, str(tmp_path / "state"))
        yield made
        made.close()

    def test_each_record_arrives_whole(
        self, sink: Sink, came: Callable[[int], list[Record]]
    ) -> None:
        sent = [record(1), record(2, outcome="denied"), record(3, name="té/st\u202e")]
        sink.send(lines(*sent))
        assert sorted(came(3), key=lambda each: int(each["seq"])) == sent

    def test_many_arrive_and_none_is_lost(
        self, sink: Sink, came: Callable[[int], list[Record]]
    ) -> None:
        for start in range(0, 600, 200):
            sink.send(lines(*[record(number) for number in range(start, start + 200)]))
        assert {each["seq"] for each in came(600)} == set(range(600))

    def test_nothing_is_sent_for_nothing(
        self, sink: Sink, came: Callable[[int], list[Record]]
    ) -> None:
        sink.send([])
        assert came(0) == []


class TestFile(SinkContract):
    @pytest.fixture
    def address(self, tmp_path: Path) -> str:
        return f"file://{tmp_path}/copy.jsonl"

    @pytest.fixture
    def came(self, tmp_path: Path) -> Callable[[int], list[Record]]:
        def read(_count: int) -> list[Record]:
            return [
                json.loads(each) for each in (tmp_path / "copy.jsonl").read_bytes().splitlines()
            ]

        return read

    def test_only_its_owner_can_read_it(self, sink: Sink, tmp_path: Path) -> None:
        sink.send(lines(record(1)))
        assert (tmp_path / "copy.jsonl").stat().st_mode & 0o777 == 0o600

    def test_a_relative_path_and_a_link_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("elsewhere")
        for address in ("file:copy", f"file://{tmp_path}/link", f"file://{tmp_path}/no/such"):
            with pytest.raises(OpenclawError):
                opened(address, "")


@pytest.mark.parametrize("kind", ["unix", "udp"])
class TestSyslog(SinkContract):
    @pytest.fixture
    def daemon(self, kind: str, tmp_path: Path) -> Iterator[socket.socket]:
        if kind == "unix":
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
                os.chdir(tmp_path)
                made.bind("log")
                yield made
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
                made.bind(("127.0.0.1", 0))
                yield made

    @pytest.fixture
    def messages(self, daemon: socket.socket) -> list[bytes]:
        found: list[bytes] = []
        daemon.settimeout(0.5)  # not in the thread, which may begin when the test has ended

        def listen() -> None:
            while True:
                try:
                    found.append(daemon.recv(65536))
                except TimeoutError:
                    continue
                except OSError:
                    return

        threading.Thread(target=listen, daemon=True).start()
        return found

    @pytest.fixture
    def address(self, kind: str, daemon: socket.socket, tmp_path: Path) -> str:
        if kind == "unix":
            return f"syslog://{tmp_path}/log"
        return f"syslog://127.0.0.1:{daemon.getsockname()[1]}"

    @pytest.fixture
    def came(self, messages: list[bytes]) -> Callable[[int], list[Record]]:
        def read(count: int) -> list[Record]:
            for _ in range(200):
                if len(messages) >= count:
                    break
                threading.Event().wait(0.02)
            return [json.loads(each.decode().partition("\ufeff")[2]) for each in messages]

        return read

    def test_a_failure_weighs_more(
        self, sink: Sink, came: Callable[[int], list[Record]], messages: list[bytes]
    ) -> None:
        sink.send(lines(record(1), record(2, outcome="denied")))
        came(2)
        assert messages[0].startswith(b"<85>1 2026-11-20T12:00:00.000000Z ")
        assert messages[1].startswith(b"<84>1 ")
        assert b" openclaw " in messages[0]
        assert b" secret_reveal - " in messages[0]


class TestWebhook(SinkContract):
    @pytest.fixture
    def collector(self) -> Iterator[ThreadingHTTPServer]:
        class Collector(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = server.status  # type: ignore[attr-defined]
                if status == 200:
                    server.bodies.append(body)  # type: ignore[attr-defined]
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
        server.bodies, server.status = [], 200  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
        server.server_close()

    @pytest.fixture
    def address(self, collector: ThreadingHTTPServer) -> str:
        return f"http://127.0.0.1:{collector.server_port}/audit?key=k"

    @pytest.fixture
    def came(self, collector: ThreadingHTTPServer) -> Callable[[int], list[Record]]:
        def read(_count: int) -> list[Record]:
            bodies: list[bytes] = collector.bodies  # type: ignore[attr-defined]
            return [json.loads(line) for body in bodies for line in body.splitlines()]

        return read

    @pytest.mark.parametrize(
        ("status", "error"), [(503, TemporaryError), (404, RefusedError), (302, TemporaryError)]
    )
    def test_a_refusal_is_told_without_the_address(
        self,
        sink: Sink,
        collector: ThreadingHTTPServer,
        status: int,
        error: type[OpenclawError],
    ) -> None:
        collector.status = status  # type: ignore[attr-defined]
        with pytest.raises(error) as refused:
            sink.send(lines(record(1)))
        assert "key" not in str(refused.value)

    @pytest.mark.parametrize(
        "address",
        [
            *("http://example.org/x", "https://u:p@example.org/", "https://:p@example.org/"),
            *("https://", "https://h:x/", "https://[x/y", "https://h.example/\u00e4"),
            *("https://h.example/a b", "https://h.example/\x7f"),
        ],
    )
    def test_what_is_not_to_be_asked_is_a_mistake_of_the_settings(self, address: str) -> None:
        with pytest.raises(ConfigError, match="https://HOST/PATH"):
            opened(address, "")
        with pytest.raises(ConfigError):
            webhook.post(address, b"", "text/plain")

    @pytest.mark.parametrize("dripped", [b"HTTP/1.1 100 Continue\r\n\r\n", b"X"])
    def test_an_answer_that_drips_is_not_waited_for(self, dripped: bytes) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            gone = threading.Event()
            threading.Thread(target=drip, args=(server, dripped, gone), daemon=True).start()
            began = time.monotonic()
            address = f"http://127.0.0.1:{server.getsockname()[1]}/"
            with pytest.raises(TemporaryError, match="time limit"):
                webhook.post(address, b"x", "text/plain", seconds=0.5)
            assert time.monotonic() - began < 3
            assert gone.wait(5), "the connection is still open"


def drip(server: socket.socket, dripped: bytes, gone: threading.Event) -> None:
    """Answer a little every so often, for ten seconds, or until the other end is gone."""
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        if dripped == b"X":
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(100):
            try:
                connection.sendall(dripped)
            except OSError:
                gone.set()
                return
            time.sleep(0.1)


class TestQdrant(SinkContract):
    @pytest.fixture
    def address(self) -> str:
        return "qdrant://audit-logs"

    @pytest.fixture
    def came(self, sink: Sink) -> Callable[[int], list[Record]]:
        def read(_count: int) -> list[Record]:
            points, _ = sink._client.scroll("audit-logs", limit=1000)  # type: ignore[attr-defined]  # noqa: SLF001
            return [each.payload for each in points]

        return read

    def test_one_that_is_sent_again_takes_its_own_place(
        self, sink: Sink, came: Callable[[int], list[Record]]
    ) -> None:
        sink.send(lines(record(1), record(2)))
        sink.send(lines(record(2), record(3)))
        assert sorted(each["seq"] for each in came(3)) == [1, 2, 3]

    def test_it_is_there_after_it_was_closed(self, sink: Sink, tmp_path: Path) -> None:
        sink.send(lines(record(1)))
        sink.close()
        again = opened("qdrant://audit-logs", str(tmp_path / "state"))
        found = again._client.count("audit-logs").count  # type: ignore[attr-defined]  # noqa: SLF001
        again.close()
        assert found == 1

    def test_events_like_this_one_are_found(self, sink: Sink) -> None:
        from openclaw_cli.audit.sinks.qdrant import vector

        sink.send(lines(record(1), record(2, outcome="denied"), record(3)))
        wanted = vector(record(0, outcome="denied"))
        found = sink._client.query_points("audit-logs", query=wanted, limit=1)  # type: ignore[attr-defined]  # noqa: SLF001
        assert found.points[0].payload["seq"] == 2

    def test_a_server_that_is_away_is_told(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with pytest.raises(TemporaryError, match="does not take records"):
            opened(f"qdrant://127.0.0.1:{port}/{uuid.uuid4()}", "")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("qdrant://db.example/audit", "https://db.example:6333"),
        ("qdrant://db.example:443/audit", "https://db.example:443"),
        ("qdrant://127.0.0.1:7000/audit", "http://127.0.0.1:7000"),
        ("qdrant://[::1]/audit", "http://[::1]:6333"),
        ("qdrant://localhost.evil.example/audit", "https://localhost.evil.example:6333"),
        ("qdrant://audit", ""),
    ],
)
def test_qdrant_is_asked_without_tls_on_this_machine_alone(address: str, expected: str) -> None:
    assert of_qdrant(address)[0] == expected


@pytest.mark.parametrize(
    "address",
    [
        *("qdrant://T0KEN@db.example/audit", "qdrant://db.example/audit?key=T0KEN"),
        *("qdrant://[x/audit", "qdrant://db.example:x/audit", "qdrant://db.example/a/b"),
    ],
)
def test_an_address_of_qdrant_that_cannot_be_meant_is_told(address: str) -> None:
    with pytest.raises(ConfigError) as refused:
        opened(address, "")
    assert "T0KEN" not in str(refused.value)


def test_qdrant_is_given_the_key_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str | None] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys.append(self.headers["api-key"])
            body = b'{"result": {"exists": true}, "status": "ok", "time": 0}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    file = tmp_path / "key"
    file.write_text("a-key-of-qdrant\n")
    file.chmod(0o600)
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"qdrant://127.0.0.1:{server.server_port}/audit"
        opened(address, "").close()
        monkeypatch.setenv(QDRANT_KEY_FILE, str(file))
        opened(address, "").close()
        server.shutdown()
    assert keys == [None, "a-key-of-qdrant"]
    file.chmod(0o644)
    with pytest.raises(DeniedError):
        opened(address, "")
    file.unlink()
    with pytest.raises(ConfigError, match="not there"):
        opened(address, "")


def test_each_sink_of_the_table_has_a_contract_here() -> None:
    tested = {"file", "syslog", "https", "http", "qdrant"}
    assert set(SINKS.ours) == tested


@pytest.mark.parametrize("address", ["s3://bucket", "nothing", ""])
def test_an_address_that_none_has_names_those_there_are(address: str) -> None:
    with pytest.raises(ConfigError) as refused:
        opened(address, "")
    assert "file" in refused.value.hint
    assert "qdrant" in refused.value.hint


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://hooks.example:8443/services/T0KEN?key=T0KEN#T0KEN", "https://hooks.example:8443"),
        ("https://T0KEN:T0KEN@hooks.example/", "https://hooks.example"),
        ("https://[x/T0KEN", "https://"),
        ("https:T0KEN", "https://"),
        ("qdrant://audit-logs", "qdrant://audit-logs"),
        ("qdrant://db.example:6333/audit", "qdrant://db.example:6333"),
        ("file:///var/log/copy.jsonl", "file:///var/log/copy.jsonl"),
        ("syslog:", "syslog:"),
    ],
)
def test_what_is_shown_of_an_address_has_no_token(address: str, expected: str) -> None:
    assert shown(address) == expected
