"""A gateway of a test's own, with handlers that do what agents may do, good and bad."""

from __future__ import annotations

import http.client
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import Openclaw

HANDLERS = Path(__file__).parent / "handlers"


@dataclass
class Answer:
    """What came over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was answered
        """Return the body, parsed."""
        return json.loads(self.body)


@dataclass
class Gateway:
    """A running gateway: its commands, and HTTP to it."""

    openclaw: Openclaw
    state: Path
    address: str
    pid: int
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rpartition(":")[2])

    @property
    def token(self) -> str:
        """Return the generated bearer token."""
        text = (self.state / "gateway" / "tokens.toml").read_text()
        return str(tomllib.loads(text)["default"]["token"])

    def ask(
        self,
        path: str,
        body: Any = None,  # noqa: ANN401 - anything JSON has
        *,
        method: str = "",
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 30,
    ) -> Answer:
        """Ask over TCP, with the token unless another, or "" for none, is given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        token = self.token if token is None else token
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        data = None if body is None else json.dumps(body).encode()
        try:
            connection.request(
                method or ("POST" if data else "GET"), path, data, {**sent, **(headers or {})}
            )
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def agent(self, name: str, given: Any = None, **more: Any) -> Answer:  # noqa: ANN401
        """Give an agent a request."""
        return self.ask(f"/v1/agents/{name}", {"input": given, **more})

    def log(self) -> list[dict[str, Any]]:
        """Return the lines of the agents' log."""
        text = (self.state / "logs" / "agent.log").read_text()
        return [json.loads(line) for line in text.splitlines()]


def state_directory() -> Path:
    """Return the test's own state directory."""
    return Path(os.environ["OPENCLAW_STATE_DIR"])


def settings(agents: Mapping[str, Any], **more: Any) -> Path:  # noqa: ANN401
    """Write an openclaw.json with agents; their handlers are in `tests/handlers`."""
    state = state_directory()
    state.mkdir(mode=0o700, exist_ok=True)
    if not (state / "handlers").exists():
        (state / "handlers").symlink_to(HANDLERS)
    path = state / "openclaw.json"
    path.write_text(json.dumps({"agents": agents, "gateway": {"port": 0}, **more}))
    return path


@contextmanager
def running(openclaw: Openclaw) -> Iterator[Gateway]:
    """Start a gateway with the settings as they are, and stop it at the end."""
    said = openclaw("gateway", "start", "--json", check=0).json()
    gateway = Gateway(openclaw, state_directory(), said["address"], said["pid"])
    try:
        yield gateway
    finally:
        openclaw("gateway", "stop", "--wait", "1s")
