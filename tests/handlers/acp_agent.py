"""A small real agent, written with the official library: it does what the prompt says, by tools."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import acp
from acp import schema

KEPT = Path("sessions.json")  # where it works


class Agent:
    """Sessions count their prompts; a prompt is a line: what to do, and with what."""

    def __init__(self) -> None:
        self.turns: dict[str, int] = {}
        self.client: Any = None

    def on_connect(self, conn: Any) -> None:
        self.client = conn

    async def initialize(self, protocol_version: int, **_: Any) -> acp.InitializeResponse:
        able = schema.AgentCapabilities(load_session="--forgets" not in sys.argv)
        return acp.InitializeResponse(protocol_version=protocol_version, agent_capabilities=able)

    async def new_session(self, cwd: str, **_: Any) -> acp.NewSessionResponse:
        name = f"session-{len(self.turns) + 1}-{cwd}"
        self.turns[name] = 0
        return acp.NewSessionResponse(session_id=name)

    async def load_session(self, session_id: str, **_: Any) -> acp.LoadSessionResponse:
        """Take up a session whose count lies in a file, and say again what was said."""
        try:
            self.turns[session_id] = json.loads(KEPT.read_text())[session_id]  # noqa: ASYNC240
        except (OSError, KeyError):
            raise acp.RequestError(-32002, "there is none") from None
        await self.client.session_update(session_id, acp.update_agent_message_text("as before"))
        return acp.LoadSessionResponse()

    async def prompt(self, session_id: str, prompt: list[Any], **_: Any) -> acp.PromptResponse:
        self.turns[session_id] += 1
        with contextlib.suppress(OSError):
            KEPT.write_text(json.dumps(self.turns))  # noqa: ASYNC240
        words = shlex.split(prompt[-1].text)
        try:
            said = await self._done(session_id, words, prompt)
        except acp.RequestError as refused:
            said = f"REFUSED {refused}"
        for piece in (said[: len(said) // 2], said[len(said) // 2 :]):
            await self.client.session_update(session_id, acp.update_agent_message_text(piece))
        return acp.PromptResponse(stop_reason="end_turn")

    async def cancel(self, **_: Any) -> None:
        """Nothing runs in between."""

    async def _done(self, session: str, words: list[str], prompt: list[Any]) -> str:
        match words:
            case ["hello"]:
                return f"turn {self.turns[session]} in {os.getpid()} after {len(prompt) - 1}"
            case ["environment", name]:
                return os.environ.get(name, "nothing")
            case ["read", path]:
                found = await self.client.read_text_file(path=path, session_id=session)
                return str(found.content)
            case ["write", path, text]:
                await self.client.write_text_file(path=path, content=text, session_id=session)
                return "written"
            case ["tool", kind, *command]:
                return await self._asked(session, kind, command)
            case ["run", command, *args]:
                made = await self.client.create_terminal(
                    command=command, args=args, session_id=session
                )
                ended = await self.client.wait_for_terminal_exit(
                    session_id=session, terminal_id=made.terminal_id
                )
                shown = await self.client.terminal_output(
                    session_id=session, terminal_id=made.terminal_id
                )
                return f"{ended.exit_code} {shown.output}"
            case ["sign-in"]:
                raise acp.RequestError.auth_required()
            case ["leave"]:
                os._exit(3)
            case ["stay"]:
                await asyncio.sleep(60)
            case _:
                pass
        return "what?"

    async def _asked(self, session: str, kind: Any, command: list[str]) -> str:
        call = schema.ToolCallUpdate(
            tool_call_id="1", title=f"a {kind}", kind=kind, raw_input={"command": command}
        )
        options = [
            schema.PermissionOption(option_id="always", name="Always", kind="allow_always"),
            schema.PermissionOption(option_id="once", name="Once", kind="allow_once"),
            schema.PermissionOption(option_id="no", name="No", kind="reject_once"),
        ]
        answer = await self.client.request_permission(
            session_id=session, tool_call=call, options=options
        )
        return str(getattr(answer.outcome, "option_id", "cancelled"))


if __name__ == "__main__":
    asyncio.run(acp.run_agent(Agent()))  # type: ignore[arg-type]
