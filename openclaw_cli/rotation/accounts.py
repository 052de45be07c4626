"""Whose password a rotation of a database's account changes, and who may change it.

The account is the one that the secret names, or the other of two that take turns.
"""

from __future__ import annotations

from dataclasses import dataclass

from openclaw_cli.errors import ConfigError
from openclaw_cli.model import SecretValue
from openclaw_cli.rotation import generators, login
from openclaw_cli.rotation.login import Login
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task

ADMIN = "admin"


def settings(example: str, admin: str) -> tuple[Setting, ...]:
    """Return the settings; `admin` says what one must be allowed."""
    return (
        Setting("url", f"Where, for a bare password: {example}."),
        Setting("users", "Two accounts that take turns: app_a,app_b."),
        Setting(ADMIN, f"{admin} A URL, JSON or a password; nothing: the account.", secret=True),
        Setting("admin-user", "Who signs in with an admin's bare password."),
        Setting("kind", "What to make, as --generate takes it.", default=generators.DEFAULT),
    )


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of one rotation, in a database whose URLs have these schemes."""

    task: Task
    schemes: tuple[str, ...]

    @property
    def by_admin(self) -> bool:
        return ADMIN in self.task.secrets

    @property
    def example(self) -> str:
        return f"--setting url={self.schemes[0]}://USER@HOST/DATABASE"

    def current(self) -> Login:
        """Return who signs in now; raises `ConfigError`."""
        latest = self.task.current or self.task.previous  # a leaked one may be revoked already
        if latest is None:
            raise ConfigError(
                f"{self.task.name} has no value that could be replaced",
                hint=f"openclaw secrets set {self.task.name}",
            )
        return self.of(latest)

    def of(self, held: Held) -> Login:
        """Return who signs in with a version; raises `ConfigError`."""
        address = self.address()
        user = address.user if address else ""
        found = login.read(held.value, self.task.name, self.schemes, user=user)
        if not found.user:
            raise ConfigError(
                f"nothing says which user signs in with {self.task.name}", hint=self.example
            )
        return found

    def admin(self) -> Login:
        """Return who may change the password of others; raises `ConfigError`."""
        user = self.task.settings["admin-user"]
        found = login.read(self.task.secrets[ADMIN], "the admin's secret", self.schemes, user=user)
        if not found.user:
            raise ConfigError(
                "nothing says who signs in with the admin's secret",
                hint="--setting admin-user=USER",
            )
        return found

    def turn(self) -> str:
        """Return whose password is to change; raises `ConfigError`."""
        current = self.current()
        users = self.task.settings["users"]
        if not users:
            return current.user
        if not self.by_admin:
            raise ConfigError(
                "users that take turns need somebody who may alter both",
                hint=f"--setting {ADMIN}=NAME, a secret",
            )
        return login.other(users, current, self.task.name)

    def made(self) -> Made:
        """Return a new value, of the form that the current one has."""
        new = generators.parse(self.task.settings["kind"]).generate().value.decode()
        return Made(self.current().renewed(self.turn(), new))

    def is_used_otherwise(self, old: Held) -> bool:
        """Tell whether another version that we hold signs in as the same user.

        Then the old password was replaced when the other one was set.
        """
        others = [self.of(each).user for each in self.task.held if each.value is not old.value]
        return self.of(old).user in others

    def url(self, who: Login) -> str:
        """Return the URL of the place, without user and password; nothing where none is known."""
        if who.url:
            return who.url
        address = self.address()
        if address:
            return address.url
        current = self.current()  # an admin's bare password is for the same server
        return current.url if who.form == login.PASSWORD else ""

    def fields(self, who: Login) -> dict[str, object]:
        """Return the JSON fields of the place, where it is in JSON."""
        if who.form == login.PASSWORD and not self.address():
            return self.current().fields
        return who.fields

    def nowhere(self) -> ConfigError:
        return ConfigError(
            f"nothing says where the database of {self.task.name} is", hint=self.example
        )

    def address(self) -> Login | None:
        url = self.task.settings["url"]
        if not url:
            return None
        found = login.read(SecretValue(url.encode()), "the setting url", self.schemes)
        if found.form != login.URL or found.password:
            raise ConfigError(
                "the setting url is a URL without a password: that is the secret's value",
                hint=self.example,
            )
        return found
