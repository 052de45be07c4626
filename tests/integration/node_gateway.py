"""The real OpenClaw gateway (Node) that `scripts/openclaw-gateway.sh` installs, and a model for it.

`Model` stands in for a model's endpoint: it answers every chat, and remembers what it was sent.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
VERSION = "2026.9.6"
OLD = "2026.2.26"
_ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}
_READY = 300.0  # seconds; the oldest one took 140 on a machine with ten times too much to do


class NodeGateway:
    """One state directory, and the gateway's program for it."""

    def __init__(self, home: Path, version: str = VERSION) -> None:
        installed = ROOT / ".build" / "gateway" / version / "node_modules"
        self.version = version
        self.program = installed / "openclaw" / "openclaw.mjs"
        node = installed / f"node-linux-{_ARCHITECTURES[platform.machine()]}" / "bin"
        assert self.program.exists(), "run: bash scripts/openclaw-gateway.sh"
        self.home = home
        self.state = home / ".openclaw"
        self.config = self.state / "openclaw.json"
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.port = free_port()
        shims = home / "bin"
        shims.mkdir(exist_ok=True)
        if not (shims / "openclaw").is_symlink():
            (shims / "openclaw").symlink_to(self.program)
        self.path = f"{node}:{shims}:{os.environ['PATH']}"

    @property
    def environment(self) -> dict[str, str]:
        """Where our program and the gateway's look for their state, and a PATH with both."""
        return {
            "HOME": str(self.home),
            "OPENCLAW_STATE_DIR": str(self.state),
            "PATH": self.path,
        }

    def run(
        self, *arguments: str, given: str = "", check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the gateway's own `openclaw`."""
        done = subprocess.run(
            [str(self.program), *arguments],
            env={**os.environ, **self.environment, "NO_COLOR": "1", **environment},
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
        return done

    def audit(self) -> dict[str, Any]:
        """Return the report of its own audit, every reference resolved."""
        allow = ["--allow-exec"] if self.version == VERSION else []
        done = self.run("secrets", "audit", *allow, "--json", check=False)
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    @contextmanager
    def running(self, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run the gateway until the block ends; it is ready when this begins."""
        log = self.home / "gateway.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [str(self.program), "gateway", "run", "--port", str(self.port)],
                env={**os.environ, **self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + _READY
            while not self._healthy():
                told = log.read_text(errors="replace")[-3000:]
                assert process.poll() is None, told
                assert time.monotonic() < deadline, told
                time.sleep(0.2)
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as got:
                return bool(got.status == 200)
        except urllib.error.HTTPError as answer:
            return answer.code == HTTPStatus.NOT_FOUND  # the oldest has no such page
        except (urllib.error.URLError, OSError):
            return False

    def accepts(self, token: str) -> bool:
        """Tell whether the running gateway takes a token."""
        done = self.run(
            "gateway",
            "health",
            "--url",
            f"ws://127.0.0.1:{self.port}",
            "--token",
            token,
            check=False,
        )
        return done.returncode == 0


class Model:
    """An OpenAI-like endpoint; `keys` are the Authorization headers that came."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                model.keys.append(self.headers.get("Authorization", ""))
                size = int(self.headers.get("Content-Length", 0))
                asked = json.loads(self.rfile.read(size) or b"{}")
                if asked.get("stream"):
                    self._stream()
                else:
                    self._answer(json.dumps(_completion()).encode(), "application/json")

            def _stream(self) -> None:
                part = {**_completion(), "object": "chat.completion.chunk"}
                part["choices"] = [{"index": 0, "delta": {"role": "assistant", "content": "hello"}}]
                last = {**part, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
                lines = [f"data: {json.dumps(each)}\n\n" for each in (part, last)]
                data = "".join([*lines, "data: [DONE]\n\n"]).encode()
                self._answer(data, "text/event-stream")

            def _answer(self, data: bytes, kind: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _completion() -> dict[str, Any]:
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hello"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
