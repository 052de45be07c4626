"""One run of a command on the slow road: its streams, its questions, and the parts it needs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from openclaw_cli.cli.ask import Ask
from openclaw_cli.cli.render import Output
from openclaw_cli.errors import OpenclawError, StorageError, UsageError
from openclaw_cli.home import find, of
from openclaw_cli.settings import PRODUCTION, project_file, quick

if TYPE_CHECKING:
    from openclaw_cli.agents.spec import Configuration
    from openclaw_cli.changes import Changes
    from openclaw_cli.home import Home
    from openclaw_cli.service import Secrets
    from openclaw_cli.settings import Settings


class Session:
    """What the options every command has say, and what is made from them when it is needed."""

    def __init__(self) -> None:
        self.as_json = False
        self.quiet = False
        self.no_input = False
        self.yes = False
        self.in_project = False
        self.called = "openclaw"

    @cached_property
    def output(self) -> Output:
        """The streams."""
        return Output(quiet=self.quiet, as_json=self.as_json)

    @cached_property
    def ask(self) -> Ask:
        """The questions."""
        return Ask(no_input=self.no_input)

    @cached_property
    def home(self) -> Home:
        """The state directory."""
        return find(os.environ)

    @cached_property
    def settings(self) -> Settings:
        """The settings, from their sources where the compiled ones are stale.

        With what a trusted project's file says, where the command is one that it may choose for.
        """
        ready = quick(self.home, os.environ)
        if ready is None:
            from openclaw_cli.config import load

            ready = load(self.home, os.environ)
        path = project_file(os.environ) if self.in_project else ""
        if not path:
            return ready
        from openclaw_cli.trusting import settled

        ready, refused = settled(self.home, ready, path)
        if refused is not None:
            self.output.warn(refused.message, hint=refused.hint)
        return ready

    @cached_property
    def configuration(self) -> Configuration:
        """What the settings say of agents and the gateway."""
        from openclaw_cli.agents.loading import load

        return load(self.home, os.environ)

    @cached_property
    def secrets(self) -> Secrets:
        """What reads secrets."""
        from openclaw_cli import assembly
        from openclaw_cli.cli.asking import Asking

        made = assembly.secrets(self.home, self.settings, os.environ, self.ask.passphrase)
        made.asking = Asking(self.output)
        return made

    @cached_property
    def quiet_secrets(self) -> Secrets:
        """What reads secrets and asks nobody, whoever sits there."""
        from openclaw_cli import assembly

        return assembly.secrets(self.home, self.settings, os.environ)

    @cached_property
    def changes(self) -> Changes:
        """What changes them."""
        from openclaw_cli import assembly

        return assembly.changes(self.secrets, self.settings)

    def elsewhere(self, environment: str) -> Session:
        """Return a session of another environment that answers and asks as this one does."""
        home = of(self.home.root, environment)
        if home.environment == self.home.environment:
            raise UsageError(
                f"this is the environment {environment} already",
                hint="name another: --environment NAME",
            )
        other = Session()
        other.as_json, other.quiet = self.as_json, self.quiet
        other.no_input, other.yes = self.no_input, self.yes
        other.home = home
        return other

    @contextmanager
    def made(self) -> Iterator[None]:
        """Look and tell after a change: what fails then must not sound as if it were not made."""
        try:
            yield
        except OpenclawError as refused:
            said = f"the change was made; then: {refused.message}"
            raise StorageError(said, hint=refused.hint) from None

    def confirm(self, question: str, *, hint: str = "add --yes") -> None:
        """Ask before something that cannot be taken back; `--yes` answers, no ends the command.

        In production the environment is to be typed, so that nobody takes it for another.
        """
        if self.home.environment in PRODUCTION:
            self.guard(question)
        elif not self.yes and not self.ask.confirm(question, hint=hint):
            raise UsageError("nothing was done")

    def guard(self, question: str) -> None:
        """Ask before what can be taken back, in production only."""
        name = self.home.environment
        if name not in PRODUCTION or self.yes:
            return
        what = f"this is the environment {name}. {question[:1].upper()}{question[1:]}"
        if not self.ask.confirm_by_name(what, name, hint=f"add --yes, if {name} is meant"):
            raise UsageError("nothing was done")
