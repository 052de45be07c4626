"""`openclaw secrets resolve`: the OpenClaw gateway's question, by the slow road."""

from __future__ import annotations

from typing import Annotated

import typer

from openclaw_cli.cli import process, stdout
from openclaw_cli.cli.session import Session
from openclaw_cli.interop import resolver

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def resolve(
    context: typer.Context,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            metavar="PATTERN",
            help="Hand out only what fits: openai-*; may be repeated.",
        ),
    ] = None,
    previous: Annotated[
        bool,
        typer.Option("--previous", help="Hand out the versions before the current ones."),
    ] = False,
) -> None:
    """Answer the OpenClaw gateway's request.

    It comes on standard input, the values go to standard output.

        echo '{"protocolVersion":1,"provider":"x","ids":["openai-api-key"]}' | openclaw-resolver

    The status is 0 when the request was understood; what failed is told by id, under errors.

    Which names it may hand out, settings.toml says: [resolvers.PROVIDER], allow = ["openai-*"].
    """
    session: Session = context.obj
    request = resolver.read_request(running=process.running())
    limits = session.settings.resolvers
    answer = resolver.answer(
        session.quiet_secrets, request, limits=limits, allow=allow or [], previous=previous
    )
    stdout.write_all(answer)
