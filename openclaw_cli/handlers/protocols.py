"""How a chat is asked for and answered, in Anthropic's words and in OpenAI's. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]
Said: TypeAlias = Sequence[Mapping[str, str]]

ANTHROPIC = "anthropic"
ANTHROPIC_VERSION = "2023-06-01"
OVERLOADED = 529
RATE_LIMITED = 429

_PATHS = {ANTHROPIC: "/v1/messages", "openai": "/v1/chat/completions"}
_CODE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_BUSY = {"overloaded_error": OVERLOADED, "rate_limit_error": RATE_LIMITED}


@dataclass(slots=True)
class Wish:
    """What is asked of a model, besides what was said."""

    system: str = ""
    max_tokens: int = 1024
    deterministic: bool = False


@dataclass(slots=True)
class Answer:
    """What a model has said so far, and what it says of itself."""

    text: str = ""
    stop: str = ""
    usage: dict[str, int] = field(default_factory=dict)
    done: bool = False


class Failed(Exception):  # noqa: N818  what the service said instead of an answer
    """The service says that it failed; `code` is its own word, where that is a plain one."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def status(self) -> int:
        """The HTTP status that means the same, 0 where there is none."""
        return _BUSY.get(self.code, 0)


def path(protocol: str, endpoint_path: str) -> str:
    """Return the path to ask: what the endpoint says of it is not said twice."""
    whole = _PATHS[protocol]
    given = endpoint_path.rstrip("/")
    if given.endswith(whole.removeprefix("/v1")):
        return given
    return given + (whole.removeprefix("/v1") if given.endswith("/v1") else whole)


def headers(protocol: str, key: str) -> dict[str, str]:
    """Return the headers that say who asks; without a key nobody does."""
    found = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
    if protocol == ANTHROPIC:
        found["anthropic-version"] = ANTHROPIC_VERSION
        return found | ({"x-api-key": key} if key else {})
    return found | ({"Authorization": f"Bearer {key}"} if key else {})


def request(protocol: str, model: str, said: Said, wish: Wish) -> Body:
    """Return what is asked, as the protocol writes it."""
    messages = [{"role": each["role"], "content": each["content"]} for each in said]
    body: Body = {"model": model, "max_tokens": wish.max_tokens, "stream": True}
    if wish.deterministic:
        body["temperature"] = 0
    if protocol == ANTHROPIC:
        return body | ({"system": wish.system} if wish.system else {}) | {"messages": messages}
    if wish.system:
        messages.insert(0, {"role": "system", "content": wish.system})
    if wish.deterministic:
        body["seed"] = 0
    return body | {"stream_options": {"include_usage": True}, "messages": messages}


def take(protocol: str, data: bytes, answer: Answer) -> str:
    """Take one event of a stream; return the text that it adds. Raises `Failed`, `ValueError`."""
    if data == b"[DONE]":
        answer.done = True
        return ""
    event = json.loads(data)
    if not isinstance(event, dict):
        raise ValueError("not an object")  # noqa: TRY004  as json has it
    if event.get("type") == "error" or "error" in event:
        raise Failed(error_code(event))
    piece = _anthropic(event, answer) if protocol == ANTHROPIC else _openai(event, answer)
    answer.text += piece
    return piece


def whole(protocol: str, data: bytes) -> Answer:
    """Read an answer that came at once; raises `Failed`, `ValueError`."""
    found = json.loads(data)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004  as json has it
    if "error" in found:
        raise Failed(error_code(found))
    answer = Answer(done=True, usage=_usage(found.get("usage")))
    if protocol == ANTHROPIC:
        blocks = found.get("content")
        texts = [_text(each, "text") for each in blocks if isinstance(each, dict)] if blocks else []
        answer.text, answer.stop = "".join(texts), _text(found, "stop_reason")
        return answer
    choice = _first(found.get("choices"))
    message = choice.get("message")
    answer.text = _text(message, "content") if isinstance(message, dict) else ""
    answer.stop = _text(choice, "finish_reason")
    return answer


def error_code(found: object) -> str:
    """Return the word that a service has for its error, never its text: that may quote us."""
    error = found.get("error") if isinstance(found, dict) else None
    for key in ("type", "code"):
        word = error.get(key) if isinstance(error, dict) else None
        if isinstance(word, str) and _CODE.fullmatch(word):
            return word
    return "unknown"


def _anthropic(event: Body, answer: Answer) -> str:
    kind = event.get("type")
    delta = event.get("delta")
    delta = delta if isinstance(delta, dict) else {}
    message = event.get("message")
    if kind == "message_start" and isinstance(message, dict):
        answer.usage |= _usage(message.get("usage"))
    elif kind == "message_delta":
        answer.stop = _text(delta, "stop_reason") or answer.stop
        answer.usage |= _usage(event.get("usage"))
    elif kind == "message_stop":
        answer.done = True
    elif kind == "content_block_delta":
        return _text(delta, "text")
    return ""


def _openai(event: Body, answer: Answer) -> str:
    answer.usage |= _usage(event.get("usage"))
    choice = _first(event.get("choices"))
    answer.stop = _text(choice, "finish_reason") or answer.stop
    delta = choice.get("delta")
    return _text(delta, "content") if isinstance(delta, dict) else ""


def _first(found: object) -> Body:
    return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}


def _text(table: Mapping[str, Any], key: str) -> str:
    found = table.get(key)
    return found if isinstance(found, str) else ""


def _usage(found: object) -> dict[str, int]:
    """Return how many tokens went in and came out, by one pair of names for both."""
    table = found if isinstance(found, dict) else {}
    names = {
        "input_tokens": ("input_tokens", "prompt_tokens"),
        "output_tokens": ("output_tokens", "completion_tokens"),
    }
    counts = {
        name: next((table[each] for each in words if isinstance(table.get(each), int)), None)
        for name, words in names.items()
    }
    return {name: count for name, count in counts.items() if count is not None}
