"""The built-in chat against an endpoint that plays a script: each way to fail, each fallback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from openclaw_cli.agents.spec import AgentSpec, Model
from openclaw_cli.errors import OpenclawError, RefusedError, TemporaryError
from openclaw_cli.handlers import endpoint, protocols
from openclaw_cli.handlers.chat import Chat
from tests.hostile_http import HostileServer
from tests.model_server import Scripted

ANSWER = {
    "content": [{"type": "text", "text": "four"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 1},
}
LOCAL_ANSWER = {
    "choices": [{"message": {"content": "4"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}
JSON = {"Content-Type": "application/json"}
EVENTS = {"Content-Type": "text/event-stream"}
TOO_MANY = (429, {"Retry-After": "7", **JSON}, {"error": {"type": "rate_limit_error"}})


def sse(*events: object) -> bytes:
    lines = [each if isinstance(each, str) else json.dumps(each) for each in events]
    return "".join(f"data: {line}\n\n" for line in lines).encode()


@dataclass
class Asked:
    """A handler's context, as far as the chat looks at it."""

    settings: dict[str, Any]
    secrets: dict[str, str]
    transcript: list[dict[str, Any]] = field(default_factory=list)
    emitted: list[str] = field(default_factory=list)
    logged: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    until: float = field(default_factory=lambda: time.monotonic() + 10)

    @property
    def remaining(self) -> float:
        return self.until - time.monotonic()

    def emit(self, chunk: str) -> None:
        self.emitted.append(chunk)

    def log(self, message: str, **fields: object) -> None:
        self.logged.append((message, fields))


@pytest.fixture
def cloud() -> Iterator[Scripted]:
    server = Scripted()
    yield server
    server.close()


@pytest.fixture
def local() -> Iterator[Scripted]:
    server = Scripted()
    yield server
    server.close()


def asked(cloud: str, local: str = "", **more: Any) -> Asked:  # noqa: ANN401
    spec = AgentSpec("a", model="claude-x", fallback=("local/y",) if local else (), **more)
    models = {
        "claude-x": Model("claude-x", cloud, "anthropic", "cloud-key"),
        "local/y": Model("local/y", local, "openai", "local-key", "y"),
    }
    table = {name: {"name": name, **_fields(each)} for name, each in models.items()}
    return Asked(
        {**spec.plain(), "models": table}, {"cloud-key": "sk-cloud\n", "local-key": "sk-local"}
    )


def _fields(model: Model) -> dict[str, str]:
    return {
        "endpoint": model.endpoint,
        "protocol": model.protocol,
        "secret": model.secret,
        "called": model.called,
    }


def test_an_answer_that_comes_at_once(cloud: Scripted) -> None:
    cloud.answers.append((200, JSON, ANSWER))
    context = asked(cloud.address, system="Be short.", deterministic=True)
    found = Chat().turn("2 + 2?", context)
    assert found == {
        "text": "four",
        "model": "claude-x",
        "stop": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 1},
    }
    path, headers, body = cloud.requests[0]
    assert (path, headers["x-api-key"]) == ("/v1/messages", "sk-cloud")
    assert (body["system"], body["temperature"], body["model"]) == ("Be short.", 0, "claude-x")
    assert body["messages"] == [{"role": "user", "content": "2 + 2?"}]
    assert context.emitted == ["four"]


def test_an_answer_that_comes_in_parts(cloud: Scripted) -> None:
    cloud.answers.append(
        (
            200,
            EVENTS,
            sse(
                {"type": "message_start", "message": {"usage": {"input_tokens": 3}}},
                {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "fo"}},
                {"type": "ping"},
                {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "ur"}},
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
                {"type": "message_stop"},
            ),
        )
    )
    context = asked(cloud.address)
    assert Chat().turn("2 + 2?", context)["text"] == "four"
    assert context.emitted == ["fo", "ur"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (TOO_MANY, "Cloud API rate limited, fallback to local"),
        ((529, JSON, {}), "Cloud API overloaded, fallback to local"),
        ((503, {}, b"busy"), "Cloud API overloaded, fallback to local"),
        ((0, JSON, b'{"content'), "Cloud API unreachable, fallback to local"),
        (
            (200, EVENTS, sse({"type": "error", "error": {"type": "overloaded_error"}})),
            "Cloud API overloaded, fallback to local",
        ),
        ((200, EVENTS, b""), "Cloud API unreachable, fallback to local"),
    ],
)
def test_a_model_that_is_busy_or_away_is_stood_in_for(
    cloud: Scripted, local: Scripted, answer: tuple[int, dict[str, str], Any], why: str
) -> None:
    cloud.answers.append(answer)
    local.answers.append((200, JSON, LOCAL_ANSWER))
    context = asked(cloud.address, local.address)
    found = Chat().turn("2 + 2?", context)
    assert (found["text"], found["model"]) == ("4", "local/y")
    assert [message for message, _ in context.logged] == [why]


@pytest.mark.parametrize(
    ("status", "key", "why"),
    [
        (401, "sk-cloud", "refuses its key"),
        (403, "sk-cloud", "refuses its key"),
        (0, "", "has no key"),
        (0, "sk-\u00fc", "has no key"),
    ],
)
def test_without_a_key_that_is_accepted_the_next_model_answers(
    cloud: Scripted, local: Scripted, status: int, key: str, why: str
) -> None:
    cloud.answers += [(status, JSON, {"error": {"type": "authentication_error"}})] * 2
    local.answers.append((200, JSON, LOCAL_ANSWER))
    for others in (local.address, ""):
        context = asked(cloud.address, others)
        context.secrets["cloud-key"] = key
        if not key:
            del context.secrets["cloud-key"]
        if not others:  # the control: there is no other
            with pytest.raises(RefusedError, match="cloud-key"):
                Chat().turn("2 + 2?", context)
            continue
        found = Chat().turn("2 + 2?", context)
        assert (found["text"], found["model"]) == ("4", "local/y")
        assert [each["why"] for each in found["passed"]] == [why]
        message, fields = context.logged[0]
        assert message == f"Cloud API {why}, fallback to local"
        assert "cloud-key" in fields["error"]
        assert "sk-" not in json.dumps(fields)
    assert len(cloud.requests) == (2 if status else 0)


def test_retry_after_is_noted_and_heeded_within_a_session(cloud: Scripted, local: Scripted) -> None:
    cloud.answers.append(TOO_MANY)
    local.answers += [(200, JSON, LOCAL_ANSWER)] * 2
    context = asked(cloud.address, local.address)
    chat = Chat()
    found = chat.turn("2 + 2?", context)
    assert found["passed"] == [
        {"model": "claude-x", "status": 429, "retry_after": 7, "why": "rate limited"}
    ]
    assert context.logged[0][1]["retry_after"] == 7
    chat.turn("and 3 + 3?", context)
    assert len(cloud.requests) == 1


def test_each_key_goes_to_its_own_endpoint_alone(cloud: Scripted, local: Scripted) -> None:
    cloud.answers.append(TOO_MANY)
    local.answers.append((200, JSON, LOCAL_ANSWER))
    Chat().turn("2 + 2?", asked(cloud.address, local.address))
    assert "sk-local" not in json.dumps(cloud.requests)
    assert "sk-cloud" not in json.dumps(local.requests)
    assert local.requests[0][1]["authorization"] == "Bearer sk-local"


def test_where_nobody_answers_it_says_when_to_try_again(cloud: Scripted) -> None:
    cloud.answers.append(TOO_MANY)
    with pytest.raises(TemporaryError, match=r"no model answers: claude-x \(429\)") as refused:
        Chat().turn("2 + 2?", asked(cloud.address))
    assert refused.value.hint == "try again in 7 s"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((400, JSON, {"error": {"type": "invalid_request_error"}}), "400, invalid_request_error"),
        ((400, JSON, {"error": {"type": "sk-cloud said this"}}), "claude-x answers 400$"),
        ((307, {"Location": "http://127.0.0.1:9/"}, b""), "another address"),
        ((200, JSON, b"<html>"), "does not speak anthropic"),
        ((200, JSON, b"[" * 100_000), "does not speak anthropic"),
        ((200, EVENTS, b"data: {\n\n"), "does not speak anthropic"),
        ((200, JSON, {"error": {"type": "billing_error"}}), "billing_error"),
    ],
)
def test_a_refusal_is_no_reason_for_a_fallback(
    cloud: Scripted, local: Scripted, answer: tuple[int, dict[str, str], Any], message: str
) -> None:
    cloud.answers.append(answer)
    with pytest.raises(RefusedError, match=message) as refused:
        Chat().turn("2 + 2?", asked(cloud.address, local.address))
    assert "sk-" not in str(refused.value)
    assert local.requests == []


def test_half_an_answer_is_not_finished_by_another_model(cloud: Scripted, local: Scripted) -> None:
    half = sse({"type": "content_block_delta", "delta": {"text": "fo"}})
    cloud.answers.append((0, EVENTS, half))
    with pytest.raises(TemporaryError, match="broke off"):
        Chat().turn("2 + 2?", asked(cloud.address, local.address))
    assert local.requests == []


def test_a_session_goes_on_where_it_was(cloud: Scripted) -> None:
    cloud.answers += [(200, JSON, ANSWER)] * 3
    context = asked(cloud.address)
    context.transcript.append({"input": "1 + 1?", "output": {"text": "two"}})
    chat = Chat()
    chat.start(context)
    chat.turn("2 + 2?", context)
    chat.turn({"prompt": "3 + 3?"}, context)
    said = [each["content"] for each in cloud.requests[1][2]["messages"]]
    assert said == ["1 + 1?", "two", "2 + 2?", "four", "3 + 3?"]
    for number in range(60):
        cloud.answers.append((200, JSON, ANSWER))
        chat.turn(f"{number}?", context)
    kept = cloud.requests[-1][2]["messages"]
    assert len(kept) <= 40
    assert kept[0]["role"] == "user"


@pytest.mark.parametrize(
    "behaviour",
    ["huge", "packed", "html", "json-deep", "json-list", "not-http", "reset", "nothing", "hang"],
)
def test_a_hostile_endpoint_costs_neither_time_nor_memory(behaviour: str) -> None:
    with HostileServer(behaviour) as server:  # what only drips ends at the instance's deadline
        context = asked(server.address)
        context.until = time.monotonic() + 1.5
        with pytest.raises(OpenclawError):
            Chat().turn("2 + 2?", context)
        assert time.monotonic() < context.until + 2
        assert server.sent < 4 * endpoint.LARGEST


def test_a_missing_key_is_said_by_its_name(cloud: Scripted) -> None:
    context = asked(cloud.address)
    del context.secrets["cloud-key"]
    with pytest.raises(RefusedError, match="claude-x needs the secret cloud-key"):
        Chat().turn("2 + 2?", context)
    context.secrets["cloud-key"] = "sk\r\nHost: evil"
    with pytest.raises(RefusedError, match="is not an API key"):
        Chat().turn("2 + 2?", context)
    assert cloud.requests == []


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/v1", "/v1/chat/completions"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/api/models/", "/api/models/v1/chat/completions"),
    ],
)
def test_what_the_endpoint_says_is_not_said_twice(given: str, path: str) -> None:
    assert protocols.path("openai", given) == path
