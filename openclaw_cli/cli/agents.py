"""`openclaw agents`: run them, look at them, end them."""

from __future__ import annotations

import json
import os
import signal
from typing import Annotated, Any

import typer

from openclaw_cli import duration
from openclaw_cli.agents.spec import unknown_agent
from openclaw_cli.cli import agents_view as view
from openclaw_cli.cli import stdout
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import (
    ConflictError,
    NotFoundError,
    OpenclawError,
    PartialError,
    RefusedError,
    StorageError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.files import read_all
from openclaw_cli.gateway import talk
from openclaw_cli.sanitize import safe_lines

app = typer.Typer(rich_markup_mode=None, add_completion=False)

Agent = Annotated[str | None, typer.Argument(metavar="[NAME]", show_default=False)]
Thread = Annotated[
    str | None, typer.Option("--thread", metavar="ID", help="The thread, a conversation.")
]

_INPUT = 16 * 1024 * 1024
_STATUS = {"timeout": 124, "memory_limit": 137, "process_limit": 137, "crashed": 137, "died": 137}
_STATUS |= {"lost": 137, "busy": 75, "unavailable": 75, "config": 78, "temporary": 75}
_STATUS |= {"denied": 6, "not_found": 3, "locked": 5, "unrecorded": 9, "integrity": 4}


@app.command(name="list")
def list_(context: typer.Context) -> None:
    """Show the agents of the settings.

    openclaw agents list --json
    """
    session: Session = context.obj
    agents = session.configuration.agents
    if session.as_json:
        session.output.json({"agents": [each.plain() for each in agents.values()]})
        return
    if not agents:
        session.output.note("the settings have no agent")
        return
    session.output.table(view.LISTED, [view.listed(each) for each in agents.values()])


@app.command()
def status(
    context: typer.Context,
    name: Agent = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show each running instance and session.")
    ] = False,
) -> None:
    """Show the agents of the running gateway and what they do.

    openclaw agents status --verbose
    """
    session: Session = context.obj
    found = talk.ask(session.home, "status", {"verbose": verbose})
    if name is not None:
        known = [each["name"] for each in found["agents"]]
        found["agents"] = [each for each in found["agents"] if each["name"] == name]
        if not found["agents"]:
            raise unknown_agent(name, known)
    if session.as_json:
        session.output.json(found)
    else:
        view.show(session.output, found, verbose=verbose)


@app.command()
def run(
    context: typer.Context,
    name: Agent = None,
    given: Annotated[
        str | None,
        typer.Option("--input", metavar="FILE", help="The input, - for standard input; JSON."),
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="The input is text, not JSON.")] = False,
    thread: Thread = None,
    alone: Annotated[
        bool, typer.Option("--no-gateway", help="Run it here, though a gateway is running.")
    ] = False,
) -> int:
    """Give an agent one request and print its answer; no gateway is needed.

    Ends with 0, 7 when the handler failed, 75 busy, 124 at the time limit, 137 at the memory limit.

    echo '{"text": "hello"}' | openclaw agents run NAME --input -
    """
    session: Session = context.obj
    known = session.configuration
    agent = (known.agent(name) if name else known.only_agent()).name
    wanted = {"input": _input(given, agent, text=text), "session": thread}
    answer = None if alone else _by_gateway(session, agent, wanted)
    if answer is None:
        answer = _here(session, agent, wanted)
    if answer["outcome"] != "ok":
        raise _failed(answer)
    if session.as_json:
        session.output.json({name: each for name, each in answer.items() if name != "schema"})
    else:
        output = answer.get("output")
        _show(output if isinstance(output, str) else json.dumps(output))
    return 0


@app.command()
def node(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="This machine's name; its host name, if not."),
    ] = None,
) -> int:
    """Take requests from the broker for the gateway here: one machine of several.

    openclaw agents node --name worker-1
    """
    session: Session = context.obj
    from openclaw_cli.engines import broker

    chosen = broker.node_name(name)
    found = broker.address(session.configuration.gateway, session.quiet_secrets)
    run = broker.node(session.configuration.gateway)
    session.output.note(f"the node {chosen} takes requests from the broker")
    return int(run(session.home, session.configuration, found, chosen))


@app.command()
def spawn(context: typer.Context, name: Agent = None, thread: Thread = None) -> None:
    """Bind a thread to an instance, before its first request.

    Later requests for the thread reach the same session. NAME may be left out where there is one
    agent; a bare --thread chooses an id.

    openclaw agents spawn --thread=acp-session-001
    """
    session: Session = context.obj
    wanted = "" if thread in (None, "auto") else thread
    found = talk.ask(session.home, "agents/spawn", {"agent": name or "", "thread": wanted})
    if session.as_json:
        session.output.json(found)
        return
    session.output.line(found["thread"])
    word = "is bound to" if found["new"] else "was bound already to"
    session.output.done(f"the thread {found['thread']} {word} {found['agent']}")


@app.command()
def close(
    context: typer.Context,
    name: Agent = None,
    thread: Thread = None,
) -> None:
    """End a session, when its present turn has ended.

    openclaw agents close --thread ID
    """
    session: Session = context.obj
    if not thread:
        raise UsageError("say which thread", hint="openclaw agents close --thread ID")
    found = talk.ask(session.home, "agents/close", {"agent": name or "", "thread": thread})
    _tell(session, found, f"the thread {thread} is closed")


@app.command()
def restart(
    context: typer.Context,
    name: Agent = None,
    now: Annotated[
        bool, typer.Option("--now", help="End running requests instead of waiting for them.")
    ] = False,
) -> None:
    """Start an agent anew, or all of them; nothing that was accepted is lost.

    Returns when the new one serves. One that rests after crashes, or was stopped, serves again.

    openclaw agents restart --name request-handler
    """
    session: Session = context.obj
    found = talk.ask(session.home, "agents/restart", {"agent": name or "", "now": now})
    shown = ", ".join(f"{each} ({ms:g} ms)" for each, ms in found["restarted"].items())
    _tell(session, found, f"restarted {shown or 'none'}")
    if found["failed"]:
        why = "; ".join(
            f"{each}: {said.removeprefix(f'{each}: ')}" for each, said in found["failed"].items()
        )
        raise PartialError(f"not restarted, and as before: {why}", hint="openclaw agents logs")


@app.command()
def stop(context: typer.Context, name: Agent = None, thread: Thread = None) -> None:
    """End a thread now, or all of an agent until it is restarted.

    openclaw agents stop --thread ID
    """
    session: Session = context.obj
    found = talk.ask(session.home, "agents/stop", {"agent": name or "", "thread": thread or ""})
    what = f"the thread {thread} of {', '.join(found['stopped'])}" if thread else str(name)
    _tell(session, found, f"stopped {what}")


@app.command()
def cleanup(
    context: typer.Context,
    name: Agent = None,
    idle: Annotated[
        str, typer.Option("--idle", metavar="TIME", help="For how long nothing was asked of it.")
    ] = "30m",
) -> None:
    """End sessions that have been idle for a while.

    openclaw agents cleanup --idle 30m
    """
    session: Session = context.obj
    wanted = {"agent": name or "", "idle": duration.parse(idle, name="idle time")}
    found = talk.ask(session.home, "agents/cleanup", wanted)
    _tell(session, found, f"ended {found['count']} sessions")


@app.command()
def top(
    context: typer.Context,
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="How often it is drawn.")
    ] = "2s",
) -> None:
    """Watch the instances: what each does, for how long, with how much memory.

    openclaw agents top
    """
    session: Session = context.obj
    view.watch(session, duration.parse(every, name="interval") or 1, verbose=True)


@app.command()
def logs(
    context: typer.Context,
    agent: Annotated[str | None, typer.Option("--agent", metavar="NAME")] = None,
    thread: Thread = None,
    request: Annotated[str | None, typer.Option("--request", metavar="ID")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", metavar="N", help="How many at most.")] = 100,
) -> None:
    """Show the agents' log, of one agent, thread or request.

    openclaw agents logs --agent request-handler --follow
    """
    session: Session = context.obj
    from openclaw_cli.cli import agents_log

    wanted = {"agent": agent, "thread": thread, "request": request}
    agents_log.show(session, {n: v for n, v in wanted.items() if v}, lines=lines, follow=follow)


def _tell(session: Session, found: dict[str, Any], message: str) -> None:
    if session.as_json:
        session.output.json(found)
    else:
        session.output.done(message)


def _input(given: str | None, name: str, *, text: bool) -> Any:  # noqa: ANN401  whatever JSON holds
    """Read the input: JSON, or text where that is said."""
    if given is None:
        raise UsageError("there is no input", hint="--input FILE, or --input - for standard input")
    if given == "-":
        data = read_all(0, "standard input", _INPUT)
    else:
        try:
            fd = os.open(given, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as refused:
            reason = os.strerror(refused.errno or 0).lower()
            kind = NotFoundError if isinstance(refused, FileNotFoundError) else StorageError
            is_json = given[:1] in ("{", "[", '"')
            pipe = f"printf %s '...' | openclaw agents run {name} --input -"
            hint = pipe if is_json else f"ls -l {given}"
            raise kind(f"cannot read {given}: {reason}", hint=hint) from None
        try:
            data = read_all(fd, given, _INPUT)
        finally:
            os.close(fd)
    if not data and not text:
        raise UsageError(
            "the input is empty", hint=f"echo '{{}}' | openclaw agents run {name} --input -"
        )
    try:
        return data.decode() if text else json.loads(data)
    except (ValueError, RecursionError):
        raise UsageError("the input is not JSON", hint="add --text for text") from None


def _by_gateway(session: Session, agent: str, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """Ask the running gateway; None where there is none."""
    try:
        _, answer = talk.post(session.home, f"/v1/agents/{agent}", wanted, seconds=None)
    except talk.NotRunningError:
        return None
    if "outcome" not in answer:
        raise talk.error(answer)
    return answer


def _here(session: Session, agent: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Run it below this process."""
    from openclaw_cli.gateway import local
    from openclaw_cli.gateway.plain import checked_thread, plain
    from openclaw_cli.runtime.request import Request

    asked = Request(agent, wanted["input"], session=checked_thread(wanted["session"]))
    with _interruptible():
        reply = local.run(
            session.home,
            session.settings,
            session.configuration,
            asked,
            ask=None if session.no_input else session.ask.passphrase,
            say=session.output.aside,
        )
    return plain(reply)


class _interruptible:  # noqa: N801  a block
    """While agents run, Ctrl-C and SIGTERM are asyncio's; afterwards they are as before."""

    def __enter__(self) -> None:
        self._before = {
            number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
        }

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _show(answer: str) -> None:
    """Write what an agent answered; what a terminal would act on only where there is none."""
    shown = safe_lines(answer) if os.isatty(stdout.STDOUT) else answer
    end = "" if shown.endswith("\n") else "\n"
    stdout.write_all((shown + end).encode(errors="backslashreplace"))


def _failed(answer: dict[str, Any]) -> OpenclawError:
    told = answer["error"]
    outcome = answer["outcome"]
    name = f"{answer['agent']}: "
    message = f"{name}{outcome.replace('_', ' ')}: {told['message'].removeprefix(name)}"
    status = _STATUS.get(outcome, RefusedError.status)
    kind: type[OpenclawError] = RefusedError
    if status == TemporaryError.status:
        kind = TemporaryError
    elif outcome == "closed":
        kind = ConflictError
    failure = kind(message, hint=told.get("hint", ""))
    failure.exit_status = status
    return failure
