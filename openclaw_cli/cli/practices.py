"""The practices that a configuration can keep: for `config check` and `doctor --checklist`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openclaw_cli import duration
from openclaw_cli.agents import building
from openclaw_cli.agents.spec import SESSION
from openclaw_cli.cli.render import counted
from openclaw_cli.errors import OpenclawError
from openclaw_cli.health.finding import some
from openclaw_cli.rotation import schedule

if TYPE_CHECKING:
    from openclaw_cli.agents.spec import AgentSpec, Configuration
    from openclaw_cli.source import Source

WEEK = 7 * duration.DAY
LONGEST_RUN = 120  # seconds


@dataclass(frozen=True, slots=True)
class Practice:
    """One practice: whether it is kept, why, the command that mends it, and what `--fix` does."""

    name: str
    kept: bool
    why: str
    command: str = ""
    fix: Callable[[], None] | None = None

    def plain(self, *, mended: bool = False) -> dict[str, object]:
        """Return it for JSON."""
        kept = self.kept or mended
        return {"name": self.name, "pass": kept, "why": self.why, "command": self.command}


def of_file(found: Source) -> Iterator[Practice]:
    """Look at what one file says, which has no mistakes."""
    plain = found.values.get("plaintext", {})
    why = f"in plain text: {some(plain)}" if plain else "no key stands in plain text"
    command = "openclaw secrets migrate" if plain else ""
    yield Practice("by reference", kept=not plain, why=why, command=command)
    yield rotated(found)
    configuration = building.build([found.agents])
    places = {name: f"{found.path}:{line}" for name, line in found.places.items()}
    yield from of_agents(replace(configuration, origin=places))


def rotated(found: Source) -> Practice:
    """Look whether every key that a file names is rotated, at least weekly."""
    names = found.values.get("names", {})
    late = [name for name, each in names.items() if not _weekly(each.get("rotation", ""))]
    if late:
        why = f"not rotated at least weekly: {some(late)}"
        return Practice("rotation", kept=False, why=why, command='"rotation": "weekly"')
    why = f"{counted(len(names), 'secret')}, each rotated" if names else "it names no secret"
    return Practice("rotation", kept=True, why=why)


def of_agents(configuration: Configuration) -> Iterator[Practice]:
    """Look at what the settings say of agents."""
    yield short_runs(configuration)
    yield capped_sessions(configuration)
    yield concurrency(configuration)
    yield alerts(configuration)


def _weekly(said: str) -> bool:
    try:
        return bool(said) and schedule.parse(said).interval <= WEEK
    except OpenclawError:
        return False


def short_runs(configuration: Configuration) -> Practice:
    """Look whether agents with secrets are thread-bound, and gone within two minutes."""
    name = "sensitive agents"
    sensitive = [each for each in configuration.agents.values() if each.secrets]
    if not sensitive:
        return Practice(name, kept=True, why="the settings give no agent a secret")
    for each in sensitive:
        wrong = _long(each)
        if wrong:
            place = configuration.origin.get(f"agents.{each.name}", "the settings")
            why = f"{each.name} ({place}) {wrong}"
            return Practice(name, kept=False, why=why, command="openclaw config show --origin")
    return Practice(name, kept=True, why=f"{some([each.name for each in sensitive])}")


def capped_sessions(configuration: Configuration) -> Practice:
    """Look whether what runs long is a session, and those have a limit."""
    name = "long runs"
    for each in configuration.agents.values():
        if each.timeout > LONGEST_RUN and not each.keeps_session:
            why = f"{each.name} runs for up to {each.timeout:g} s and is no session"
            hint = f'agents.{each.name}: "mode": "session"'
            return Practice(name, kept=False, why=why, command=hint)
    if not configuration.threads.max_threads:
        hint = '"threadManagement": {"maxThreads": 100}'
        return Practice(name, kept=False, why="sessions have no limit", command=hint)
    why = f"{configuration.threads.max_threads} sessions at most"
    return Practice(name, kept=True, why=why)


def concurrency(configuration: Configuration) -> Practice:
    """Look whether each agent has a limit of instances at once."""
    name = "concurrency"
    for each in configuration.agents.values():
        if not each.concurrency:
            hint = f'agents.{each.name}: "max-concurrency": 10'
            return Practice(name, kept=False, why=f"{each.name} has no limit", command=hint)
    many = len(configuration.agents)
    return Practice(
        name, kept=True, why=f"{counted(many, 'agent')}, each limited" if many else "no agents"
    )


def alerts(configuration: Configuration) -> Practice:
    """Look whether somebody is told when something is wrong."""
    told = configuration.monitoring
    if told.command or told.webhook:
        return Practice("alerts", kept=True, why="a command or a webhook is told")
    hint = '"monitoring": {"alerts": {"command": ["/usr/local/bin/page"]}} in openclaw.json'
    return Practice("alerts", kept=False, why="nobody is told of an alert", command=hint)


def _long(agent: AgentSpec) -> str:
    if not agent.is_thread_bound:
        return 'is given secrets and is not thread-bound: "type": "thread-bound"'
    if agent.mode != SESSION and not agent.auto_destroy:
        return 'is given secrets and stays when it has answered: "auto-destroy": true'
    if agent.keeps_session:
        return ""
    if agent.timeout > LONGEST_RUN:
        return f'is given secrets and runs for up to {agent.timeout:g} s: "timeout": 120'
    return ""
