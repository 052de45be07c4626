"""Our side of the Agent Client Protocol: what an agent asks of us, answered by its permissions.

Nobody is ever prompted: what the settings permit is permitted once, each time, and all else is
refused. The library is the extra `acp`; the zygote loads it once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from acp import RequestError
from acp.schema import (
    AgentMessageChunk,
    AllowedOutcome,
    CreateTerminalResponse,
    DeniedOutcome,
    EnvVariable,
    KillTerminalResponse,
    PermissionOption,
    ReadTextFileResponse,
    ReleaseTerminalResponse,
    RequestPermissionResponse,
    TerminalExitStatus,
    TerminalOutputResponse,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
    ToolCallUpdate,
    WaitForTerminalExitResponse,
    WriteTextFileResponse,
)

from openclaw_cli.agents.policy import READ, WRITE, Policy
from openclaw_cli.handlers.terminals import Terminals

LARGEST = 4 * 1024 * 1024
"""Bytes of a file that is read for an agent at most."""

_DENIED = -32001
_MOST_TOOLS = 200


class Client:
    """Answers one agent; `emit` takes the pieces of what it says, `log` what was refused."""

    def __init__(
        self, policy: Policy, emit: Callable[[str], None], log: Callable[..., None]
    ) -> None:
        self._policy = policy
        self.emit = emit
        self.log = log
        self.terminals = Terminals()
        self.said: list[str] = []
        self.tools: dict[str, dict[str, str]] = {}

    def begin(self) -> None:
        """Begin a turn."""
        self.said.clear()
        self.tools.clear()

    async def request_permission(
        self,
        session_id: str,
        tool_call: ToolCallUpdate,
        options: list[PermissionOption],
        **_more: Any,  # noqa: ANN401  what later versions of the protocol add
    ) -> RequestPermissionResponse:
        """Answer by the policy; "always" is never said, since each use is judged."""
        del session_id
        known = self.tools.get(tool_call.tool_call_id, {})
        kind = str(tool_call.kind or known.get("kind") or "other")
        allowed = self._policy.tool(kind) and self._may_start(kind, tool_call.raw_input)
        if not allowed:
            self.log("a tool was refused", tool=kind, title=str(tool_call.title or "")[:200])
        wanted = "allow_once" if allowed else "reject_once"
        for each in options:
            if each.kind == wanted:
                chosen = AllowedOutcome(option_id=each.option_id, outcome="selected")
                return RequestPermissionResponse(outcome=chosen)
        return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))

    async def session_update(self, session_id: str, update: Any, **_more: Any) -> None:  # noqa: ANN401
        """Take note of what the agent says and does."""
        del session_id
        if isinstance(update, AgentMessageChunk) and isinstance(update.content, TextContentBlock):
            self.said.append(update.content.text)
            self.emit(update.content.text)
        elif isinstance(update, ToolCallStart | ToolCallProgress) and len(self.tools) < _MOST_TOOLS:
            known = self.tools.setdefault(update.tool_call_id, {})
            words = {"title": update.title, "kind": update.kind, "status": update.status}
            known.update({key: str(word)[:200] for key, word in words.items() if word})

    async def read_text_file(
        self,
        session_id: str,
        path: str,
        line: int | None = None,
        limit: int | None = None,
        **_more: Any,  # noqa: ANN401
    ) -> ReadTextFileResponse:
        """Read a file; the kernel holds us to the agent's permissions as well."""
        del session_id
        self._need(READ, path)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:  # noqa: ASYNC230  local
                text = file.read(LARGEST)
        except OSError as refused:
            raise _failed(refused) from None
        if line is not None or limit is not None:
            first = max(0, (line or 1) - 1)
            lines = text.splitlines(keepends=True)[first:]
            text = "".join(lines if limit is None else lines[:limit])
        return ReadTextFileResponse(content=text)

    async def write_text_file(
        self,
        session_id: str,
        path: str,
        content: str,
        **_more: Any,  # noqa: ANN401
    ) -> WriteTextFileResponse:
        """Write a file."""
        del session_id
        self._need(WRITE, path)
        try:
            with open(path, "w", encoding="utf-8") as file:  # noqa: ASYNC230  local
                file.write(content)
        except OSError as refused:
            raise _failed(refused) from None
        return WriteTextFileResponse()

    async def create_terminal(
        self,
        session_id: str,
        command: str,
        args: list[str] | None = None,
        env: list[EnvVariable] | None = None,
        cwd: str | None = None,
        output_byte_limit: int | None = None,
        **_more: Any,  # noqa: ANN401
    ) -> CreateTerminalResponse:
        """Start a program."""
        del session_id
        if not self._policy.program(command):
            self._refuse(f"the program {os.path.basename(command)}")
        environ = {each.name: each.value for each in env or ()}
        try:
            name = await self.terminals.start(command, args or (), environ, cwd, output_byte_limit)
        except OSError as refused:
            raise _failed(refused) from None
        return CreateTerminalResponse(terminal_id=name)

    async def terminal_output(
        self,
        session_id: str,
        terminal_id: str,
        **_more: Any,  # noqa: ANN401
    ) -> TerminalOutputResponse:
        """Return what a program has printed."""
        del session_id
        found = self.terminals[terminal_id]
        status = found.status
        ended = TerminalExitStatus(exit_code=status[0], signal=status[1]) if status else None
        return TerminalOutputResponse(
            output=found.output, truncated=found.truncated, exit_status=ended
        )

    async def wait_for_terminal_exit(
        self,
        session_id: str,
        terminal_id: str,
        **_more: Any,  # noqa: ANN401
    ) -> WaitForTerminalExitResponse:
        """Wait for a program's end."""
        del session_id
        code, signal = await self.terminals[terminal_id].wait()
        return WaitForTerminalExitResponse(exit_code=code, signal=signal)

    async def kill_terminal(
        self,
        session_id: str,
        terminal_id: str,
        **_more: Any,  # noqa: ANN401
    ) -> KillTerminalResponse:
        """End a program."""
        del session_id
        self.terminals[terminal_id].kill()
        return KillTerminalResponse()

    async def release_terminal(
        self,
        session_id: str,
        terminal_id: str,
        **_more: Any,  # noqa: ANN401
    ) -> ReleaseTerminalResponse:
        """End a program and forget it."""
        del session_id
        self.terminals.release(terminal_id)
        return ReleaseTerminalResponse()

    async def ext_method(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Know no other method."""
        del params
        raise RequestError.method_not_found(method)

    async def ext_notification(self, method: str, params: dict[str, Any]) -> None:
        """Pass over what we do not know."""

    def on_connect(self, conn: Any) -> None:  # noqa: ANN401  the library's
        """There is nothing to do."""

    def _may_start(self, kind: str, given: object) -> bool:
        """Tell whether the program that a tool call names may be started, where it names one."""
        command = given.get("command") if isinstance(given, dict) else None
        if isinstance(command, str):
            command = command.split()
        if kind != "execute" or not isinstance(command, list) or not command:
            return True
        return self._policy.program(str(command[0]))

    def _need(self, verb: str, path: str) -> None:
        if verb not in self._policy.verbs:
            self._refuse(f"{verb} {path}")

    def _refuse(self, what: str) -> None:
        self.log("a request of the agent was refused", what=what[:200])
        raise RequestError(_DENIED, f"not permitted: {what[:200]}")


def _failed(refused: OSError) -> RequestError:
    return RequestError(-32603, os.strerror(refused.errno or 0).lower())
