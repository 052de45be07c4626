"""Agents that speak the Agent Client Protocol: a child of the instance, one session a thread."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from acp import PROTOCOL_VERSION, RequestError, spawn_agent_process, text_block
from acp.schema import ClientCapabilities, FileSystemCapabilities, Implementation

from openclaw_cli import __version__
from openclaw_cli.agents.policy import EXEC, READ, WRITE, policy
from openclaw_cli.agents.spec import Permissions
from openclaw_cli.errors import RefusedError
from openclaw_cli.handlers import chat
from openclaw_cli.handlers.acp_client import Client
from openclaw_cli.handlers.chat import Context

AUTH_REQUIRED = -32000
_LIMIT = 16 * 1024 * 1024
_CLOSE_SECONDS = 1.0


class Conversation:
    """One thread with one agent: its process lives as long as the instance."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._child: Any = None
        self._agent: Any = None
        self._client: Client | None = None
        self._session = ""
        self._kept = False
        self._before: list[dict[str, Any]] = []

    def start(self, context: Context) -> None:
        """Start the agent and open its session."""
        asyncio.set_event_loop(self._loop)
        self._before = list(context.transcript)
        settings = context.settings
        may = policy(Permissions(**settings["permissions"]))
        # What an agent says while it takes up an old session was said before.
        self._client = Client(may, lambda _: None, context.log)
        try:
            self._loop.run_until_complete(self._open(settings, may.verbs))
        except OSError as refused:
            reason = os.strerror(refused.errno or 0).lower()
            raise RefusedError(
                f"{settings['command'][0]} cannot be started: {reason}",
                hint="command in the agent's settings",
            ) from None
        except RequestError as refused:
            raise _meaning(refused) from None
        except (EOFError, ConnectionError, asyncio.IncompleteReadError):
            raise _ended() from None

    def turn(self, given: Any, context: Context) -> dict[str, Any]:  # noqa: ANN401  any JSON
        """Prompt the agent, and return what it said and did."""
        client = self._client
        if client is None:
            raise _ended()
        client.emit, client.log = context.emit, context.log
        client.begin()
        said = "\n".join(each["content"] for each in chat.asked(given))
        blocks = [text_block(said)]
        if self._before:
            earlier = "\n".join(f"> {chat.text(each['output'])}" for each in self._before)
            blocks.insert(0, text_block(f"You said earlier in this conversation:\n{earlier}"))
            self._before = []
        try:
            answer = self._loop.run_until_complete(
                self._agent.prompt(session_id=self._session, prompt=blocks)
            )
        except RequestError as refused:
            raise _meaning(refused) from None
        except (EOFError, ConnectionError, asyncio.IncompleteReadError):
            raise _ended() from None
        tools = list(client.tools.values())
        found = {"text": "".join(client.said), "stop": str(answer.stop_reason)}
        if self._kept:
            found["session"] = self._session
        return {**found, "tools": tools} if tools else found

    def close(self) -> None:
        """End the agent and what it has started."""
        if self._client is not None:
            self._client.terminals.close()
        if self._child is not None:
            with suppress(Exception):
                ending = self._child.__aexit__(None, None, None)
                self._loop.run_until_complete(asyncio.wait_for(ending, _CLOSE_SECONDS))
        self._loop.close()

    async def _open(self, settings: dict[str, Any], verbs: frozenset[str]) -> None:
        command, *args = settings["command"]
        directory = settings["directory"] or os.getcwd()
        options = {"stderr": None, "limit": _LIMIT, "shutdown_timeout": _CLOSE_SECONDS / 2}
        self._child = spawn_agent_process(
            self._client,  # type: ignore[arg-type]
            command,
            *args,
            env=dict(os.environ),
            cwd=directory,
            transport_kwargs=options,
        )
        self._agent, _process = await self._child.__aenter__()
        files = FileSystemCapabilities(read_text_file=READ in verbs, write_text_file=WRITE in verbs)
        able = await self._agent.initialize(
            protocol_version=PROTOCOL_VERSION,
            client_capabilities=ClientCapabilities(fs=files, terminal=EXEC in verbs),
            client_info=Implementation(name="openclaw-cli", version=__version__),
        )
        self._kept = bool(able.agent_capabilities and able.agent_capabilities.load_session)
        if not (self._kept and await self._loaded(directory)):
            opened = await self._agent.new_session(cwd=directory, mcp_servers=[])
            self._session = opened.session_id

    async def _loaded(self, directory: str) -> bool:
        """Take up the session that an instance before this one had; tell whether there is one."""
        last = self._before[-1]["output"] if self._before else None
        session = last.get("session") if isinstance(last, Mapping) else None
        if not isinstance(session, str) or not session:
            return False
        try:
            await self._agent.load_session(cwd=directory, session_id=session, mcp_servers=[])
        except RequestError:
            return False  # it is gone: what was said before goes along with the first prompt
        self._session, self._before = session, []
        return True


handle = Conversation


def _meaning(refused: RequestError) -> RefusedError:
    """Translate by the code: the agent's text is its own, and may quote anything."""
    if refused.code == AUTH_REQUIRED:
        return RefusedError("the agent wants to be signed in", hint="sign in with its own program")
    return RefusedError(f"the agent refused the request ({refused.code})")


class AgentEnded(RefusedError):  # noqa: N818  its end, not a mistake of ours
    """The agent's process is gone; so the instance goes as well, and the next turn has another."""

    ends_instance = True


def _ended() -> AgentEnded:
    return AgentEnded("the agent's process ended", hint="openclaw agents logs")
