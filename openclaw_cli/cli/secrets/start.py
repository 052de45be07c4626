"""Starting a program with secrets in its environment: what both roads of `secrets run` share.

Lean: the fast road imports it.
"""

from __future__ import annotations

import os

from openclaw_cli.cli.process import soften
from openclaw_cli.errors import NotFoundError, OpenclawError, UsageError
from openclaw_cli.names import parse
from openclaw_cli.running import child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openclaw_cli.model import Secret
    from openclaw_cli.names import Reference
    from openclaw_cli.service import Secrets

NOT_STARTED = 125  # as `env` and `timeout` have it


class Plan:
    """What to start, and with what: secrets by variable, and literal values by variable."""

    __slots__ = ("allow_missing", "argv", "literals", "mask", "missing", "secrets")

    def __init__(self, argv: list[str], *, mask: bool) -> None:
        self.argv = argv
        self.mask = mask
        self.allow_missing = False
        self.secrets: dict[str, Reference] = {}
        self.literals: dict[str, bytes] = {}
        self.missing: list[str] = []

    def add(self, variable: str, reference: str) -> None:
        """Put a secret in a variable; raises `UsageError` for a name that cannot be one."""
        self.secrets[checked(variable)] = parse(reference)


def checked(variable: str) -> str:
    """Return the name of a variable, or raise `UsageError`."""
    letters = variable.replace("_", "a")
    if not letters.isascii() or not letters.isalnum() or letters[0].isdigit():
        raise UsageError("not the name of a variable", hint="--env OPENAI_API_KEY=openai-api-key")
    return variable


class Unstarted:
    """Gives our errors within its block the status of a program that did not start.

    That is 125, but 3 where a secret is missing, and 126 or 127 where the program cannot be
    started.
    """

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Give an error its status."""
        if isinstance(error, (child.StartError, NotFoundError)):
            return
        if isinstance(error, OpenclawError):
            error.exit_status = NOT_STARTED


def start(secrets: Secrets, plan: Plan) -> int:
    """Run the program and return its status; raises our error while it has not started."""
    environment, values = _environment(secrets, plan)
    if not (plan.mask and values):
        child.execute(plan.argv, environment, soften)
    return child.supervise(plan.argv, environment, values, soften)


def _unusual(answer: Secret | OpenclawError) -> bool:
    if isinstance(answer, OpenclawError):
        return False
    return answer.stale or answer.backend == "config"


def _environment(secrets: Secrets, plan: Plan) -> tuple[dict[bytes, bytes], dict[str, bytes]]:
    environment = dict(os.environb)
    for variable, literal in plan.literals.items():
        environment[variable.encode()] = literal
    values = {}
    found = secrets.read_many(list(plan.secrets.values()), purpose="run") if plan.secrets else []
    if any(_unusual(answer) for answer in found):
        from openclaw_cli.cli.render import Output
        from openclaw_cli.cli.secrets.stale import tell

        tell(Output(), zip(plan.secrets.values(), found, strict=True))
    for (variable, reference), answer in zip(plan.secrets.items(), found, strict=True):
        if isinstance(answer, NotFoundError) and plan.allow_missing:
            plan.missing.append(str(reference))
            continue
        if isinstance(answer, OpenclawError):
            raise answer
        value = answer.value.reveal()
        if b"\0" in value:
            raise UsageError(
                f"{reference} has a NUL byte, which no variable can hold",
                hint="give the program a file instead: openclaw secrets inject",
            )
        environment[variable.encode()] = value
        values[str(reference)] = value
    return environment, values
