"""`openclaw gateway`: the process that runs agents and answers for them."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from openclaw_cli import duration, systemd
from openclaw_cli.cli import agents_view as view
from openclaw_cli.cli.recording import recorded
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import NotFoundError, UsageError
from openclaw_cli.gateway import starting, talk

app = typer.Typer(rich_markup_mode=None, add_completion=False)

Port = Annotated[
    int | None,
    typer.Option("--port", metavar="N", min=0, max=65535, help="Where it listens; 0 for any."),
]
Wait = Annotated[
    str, typer.Option("--wait", metavar="TIME", help="How long running requests may take to end.")
]


@app.command()
def run(context: typer.Context, port: Port = None) -> int:
    """Run the gateway here until it is stopped: for systemd, containers, CI.

    openclaw gateway run --port 18790
    """
    session: Session = context.obj
    from openclaw_cli.gateway import lifecycle

    def ready(said: dict[str, Any]) -> None:
        for each in said["notes"]:
            session.output.warn(each)
        session.output.note(f"the gateway serves on {said['address']}")

    return lifecycle.run(session.home, port=port, said=ready)


@app.command()
def start(context: typer.Context, port: Port = None) -> None:
    """Start the gateway in the background; it serves when this returns.

    openclaw gateway start
    """
    session: Session = context.obj
    running = talk.running(session.home)
    if running is not None:
        if session.as_json:
            session.output.json({"started": False, **_short(running)})
        session.output.done(f"the gateway runs already, on {running['address']}")
        return
    with session.output.progress("starting the gateway"):
        said = starting.start(session.home, port)
    for each in said["notes"]:
        session.output.warn(each)
    if session.as_json:
        session.output.json({"started": True, **_short(said)})
    session.output.done(f"the gateway serves on {said['address']}, process {said['pid']}")


@app.command()
def stop(context: typer.Context, wait: Wait = "30s") -> None:
    """Stop the gateway when what it accepted is answered.

    openclaw gateway stop --wait 5s
    """
    session: Session = context.obj
    pid = starting.stop(session.home, duration.parse(wait, name="wait"))
    if session.as_json:
        session.output.json({"stopped": bool(pid), "pid": pid or None})
    session.output.done(
        f"the gateway, process {pid}, has ended" if pid else "no gateway was running"
    )


@app.command()
def restart(
    context: typer.Context,
    wait: Wait = "30s",
    force: Annotated[
        bool, typer.Option("--force", help="Do not wait for what is running.")
    ] = False,
) -> None:
    """Begin the gateway anew in its place: nobody is refused, what was accepted is answered.

    Where none is running, one is started.

    openclaw gateway restart
    """
    session: Session = context.obj
    if talk.running(session.home) is None:
        said = starting.start(session.home, None)
    else:
        with session.output.progress("restarting the gateway"):
            said = starting.restart(session.home, duration.parse(wait, name="wait"), force=force)
    for each in said["notes"]:
        session.output.warn(each)
    if session.as_json:
        session.output.json({"restarted": True, **_short(said)})
    session.output.done(f"the gateway serves on {said['address']}, process {said['pid']}")


@app.command()
def reload(context: typer.Context) -> None:
    """Read the settings again; agents that changed are started anew, nothing is refused.

    openclaw gateway reload
    """
    session: Session = context.obj
    found = talk.ask(session.home, "reload")
    if session.as_json:
        session.output.json(found)
    changed = ", ".join(f"{name} {what}" for name, what in found["agents"].items())
    session.output.done(f"the settings were read again: {changed or 'no agent changed'}")


@app.command()
def status(context: typer.Context) -> None:
    """Show whether the gateway runs, where, and what its agents do.

    openclaw gateway status --json
    """
    session: Session = context.obj
    found = talk.running(session.home)
    if found is None:
        raise NotFoundError("no gateway is running here", hint="openclaw gateway start")
    if session.as_json:
        session.output.json(found)
    else:
        view.show(session.output, found, verbose=False)


@app.command("alert-rules")
def alert_rules(
    context: typer.Context,
    scrape: Annotated[
        bool, typer.Option("--scrape", help="Print the prometheus.yml that asks the gateway.")
    ] = False,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Print a dashboard to import into Grafana.")
    ] = False,
) -> None:
    """Print the alerts as a rules file for Prometheus, or what else it and Grafana need.

    openclaw gateway alert-rules > openclaw-rules.yml
    """
    session: Session = context.obj
    from openclaw_cli.gateway import prometheus

    if scrape and dashboard:
        raise UsageError("--scrape and --dashboard are two files", hint="ask for one at a time")
    text = prometheus.rules_file(session.configuration.monitoring)
    text = prometheus.SCRAPE if scrape else prometheus.dashboard() if dashboard else text
    if session.as_json:
        session.output.json({"file": text})
        return
    for line in text.splitlines():
        session.output.line(line)


@app.command()
def link(
    context: typer.Context,
    expires: Annotated[
        str, typer.Option("--expires", metavar="TIME", help="For how long it opens the page.")
    ] = "5m",
) -> None:
    """Print a link that opens the status page in a browser, once and soon.

    openclaw gateway link --expires 10m
    """
    session: Session = context.obj
    found = talk.ask(session.home, "link", {"expires": duration.parse(expires, name="expiry")})
    if session.as_json:
        session.output.json(found)
    else:
        session.output.line(found["link"])


@app.command()
def install(
    context: typer.Context,
    show: Annotated[bool, typer.Option("--print", help="Print the unit, write nothing.")] = False,
) -> None:
    """Write a systemd unit for this user, so that the gateway starts with the machine.

    openclaw gateway install
    """
    session: Session = context.obj
    from openclaw_cli.gateway import unit

    name, text = unit.name(session.home), unit.text(session.home)
    if show:
        session.output.drawn(text)
        return
    folder = systemd.folder(os.environ)
    with recorded(session, "gateway_install", file=f"{folder}/{name}"):
        systemd.write(folder, {name: text})
    if session.as_json:
        session.output.json({"unit": f"{folder}/{name}"})
    session.output.done(f"wrote {folder}/{name}")
    session.output.note("next: systemctl --user daemon-reload")
    session.output.note(f"      systemctl --user enable --now {name}")
    session.output.note("      loginctl enable-linger, so that it runs while nobody is logged in")


@app.command()
def uninstall(context: typer.Context) -> None:
    """Stop the gateway that systemd runs for this user, and take its unit away.

    openclaw gateway uninstall
    """
    session: Session = context.obj
    from openclaw_cli.gateway import unit

    folder, names = systemd.folder(os.environ), [unit.name(session.home)]
    removed = systemd.there(folder, names)
    if removed:
        with recorded(session, "gateway_uninstall", file=removed[0]):
            systemd.remove(folder, names)
    if session.as_json:
        session.output.json({"removed": removed})
    session.output.done(f"taken away: {removed[0]}" if removed else "nothing was installed")


def _short(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in ("address", "pid", "notes")}
