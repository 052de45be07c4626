"""What a handler is given beside its input: `ctx`. Standard library only."""

from __future__ import annotations

from _collections_abc import Mapping  # `collections.abc` brings all of `collections`
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from openclaw_cli.runtime.wire import Message


_SHORTEST = 4  # characters of a value that are masked; less would hide the text


class AgentTimeout(BaseException):
    """Raised in a handler when its time is over; `finally` blocks run, then the instance ends.

    Not an `Exception`, so that a handler's `except Exception` does not swallow it.
    """


class SecretDenied(KeyError):  # noqa: N818  as `KeyError` is called
    """The agent was not granted a secret of this name."""

    def __str__(self) -> str:
        """Say it without the quotes of `KeyError`."""
        return str(self.args[0])


class CallFailed(Exception):  # noqa: N818  what the other agent answered
    """Another agent did not answer as hoped; `outcome` is its word, such as `timeout`."""

    def __init__(self, outcome: str, message: str) -> None:
        super().__init__(message or outcome)
        self.outcome = outcome


def masked(text: str, values: Mapping[str, bytes]) -> str:
    """Replace values in a text by their names, those of several lines line by line."""
    for name, value in values.items():
        for part in value.decode(errors="replace").splitlines():
            if len(part) >= _SHORTEST:
                text = text.replace(part, f"[{name}]")
    return text


def text(value: bytes) -> str:
    """Return a value as it travels in JSON; bytes that are not UTF-8 are surrogates there."""
    return value.decode(errors="surrogateescape")


def _raw(value: str) -> bytes:
    return value.encode(errors="surrogateescape")


class Granted(Mapping[str, str]):
    """The secrets of this request, by name; another is asked for, and recorded."""

    def __init__(self, values: Mapping[str, str], ask: Callable[[Message], Any]) -> None:
        self._values = {name: _raw(value) for name, value in values.items()}
        self._ask = ask

    def __getitem__(self, name: str) -> str:
        """Return a value as text; bytes that are not UTF-8 come as surrogates."""
        return text(self.raw(name))

    def raw(self, name: str) -> bytes:
        """Return a value's exact bytes; raises `SecretDenied`.

        One whose uses are counted is read, and counted, each time it is asked for.
        """
        if name in self._values:
            return self._values[name]
        answer = self._ask({"op": "secret", "name": str(name)})
        if answer["value"] is None:
            raise SecretDenied(answer["error"])
        return _raw(answer["value"])

    def masked(self, text: str) -> str:
        """Return a text with each of the values replaced by its name."""
        return masked(text, self._values)

    def __contains__(self, name: object) -> bool:
        """Say whether a name was granted."""
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        """Give the names."""
        return iter(self._values)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._values)

    def __repr__(self) -> str:
        """Never show a value."""
        return f"Granted({', '.join(sorted(self._values))})"


class Context:
    """One request as its handler sees it."""

    def __init__(self, request: Message, settings: Message, ask: Callable[[Message], Any]) -> None:
        self._given: Mapping[str, str] = request["secrets"]
        self._granted: Granted | None = None
        self.request_id: str = request["request_id"]
        self.session_key: str = request["session"]
        self.turn: int = request["turn"]
        self.settings = settings
        """The agent's own settings (`agents.spec.AgentSpec.plain()`), and its `models`."""
        self.deadline: float = monotonic() + request["seconds"]
        """When its time is over, by `time.monotonic()`."""
        self.transcript: list[dict[str, Any]] = request.get("transcript", [])
        """What was said in this session before this instance: `{"input", "output"}` each."""
        self._ask = ask

    @property
    def secrets(self) -> Granted:
        """The secrets of this request, by name."""
        if self._granted is None:
            self._granted = Granted(self._given, self._ask)
        return self._granted

    @property
    def remaining(self) -> float:
        """Seconds that are left."""
        return max(0.0, self.deadline - monotonic())

    def emit(self, chunk: str) -> None:
        """Send a part of the answer ahead, to whoever asked for a stream."""
        self._ask({"op": "chunk", "text": str(chunk)})

    def log(self, message: str, **fields: object) -> None:
        """Write a line into the gateway's log, under this request's id. Never log a value."""
        shown = {str(name): str(value) for name, value in fields.items()}
        self._ask({"op": "log", "message": str(message), "fields": shown})

    def call(self, agent: str, input: Any, *, session: str = "") -> Any:  # noqa: A002, ANN401
        """Ask another agent and return its answer; raises `CallFailed`.

        It has the time that is left here. A chain of calls that comes back to this agent is
        refused at once.
        """
        reply = self._ask({"op": "call", "agent": agent, "input": input, "session": session})
        if reply["outcome"] != "ok":
            raise CallFailed(reply["outcome"], reply.get("error", ""))
        return reply["output"]
