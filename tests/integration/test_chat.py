"""The built-in chat with a real model server, in both protocols."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openclaw_cli.agents.spec import AgentSpec
from openclaw_cli.errors import RefusedError
from openclaw_cli.handlers.chat import Chat
from tests.model_server import KEY, model_server
from tests.unit.handlers.test_chat import Asked

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with model_server(tmp_path_factory.mktemp("model")) as address:
        yield address


def asked(address: str, protocol: str, key: str = KEY) -> Asked:
    spec = AgentSpec("a", model="local/tiny", max_tokens=12, system="x", deterministic=True)
    model = {"name": "local/tiny", "endpoint": address, "protocol": protocol, "secret": "k"}
    return Asked({**spec.plain(), "models": {"local/tiny": model}}, {"k": key})


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_a_real_server_answers_in_parts(server: str, protocol: str) -> None:
    context = asked(server, protocol)
    chat = Chat()
    found = chat.turn("hello", context)
    assert found["usage"]["output_tokens"] == 12
    assert "".join(context.emitted) == found["text"]
    again = chat.turn("and again", context)
    assert again["usage"]["output_tokens"] == 12
    if protocol == "openai":  # the other one does not count what it has in its cache
        assert again["usage"]["input_tokens"] > found["usage"]["input_tokens"]


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_a_wrong_key_is_refused_by_name(server: str, protocol: str) -> None:
    with pytest.raises(RefusedError, match=r"does not accept k \(401, authentication_error\)"):
        Chat().turn("hello", asked(server, protocol, "sk-wrong"))


def test_too_long_a_conversation_is_refused_in_its_words(server: str) -> None:
    with pytest.raises(RefusedError, match="400, exceed_context_size_error"):
        Chat().turn("x" * 5000, asked(server, "openai"))
