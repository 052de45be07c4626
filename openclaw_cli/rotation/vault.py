"""Vault as rotators sign in to it, and what they say when it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from openclaw_cli.backends.connect import vault_given as given
from openclaw_cli.backends.connect.vault import Connection
from openclaw_cli.backends.connect.vault_address import in_path
from openclaw_cli.backends.connect.vault_answers import NotAcceptedError, meaning, rejected_class
from openclaw_cli.errors import DeniedError, NotFoundError, OpenclawError
from openclaw_cli.rotation.rotator import Setting, Task

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.vault_http import Adapter, Rejected

SETTINGS = tuple(
    Setting(each.name, each.meaning, str(each.default), secret=each.secret)
    for each in given.SETTINGS
    if isinstance(each.default, str)
)
_ABSENT = 404
_DENIED = (401, 403)


def settings(task: Task) -> dict[str, str | float]:
    """Return what a connection to Vault takes, of a rotator's settings and secrets."""
    found: dict[str, str | float] = {each.name: task.settings[each.name] for each in SETTINGS}
    for each in SETTINGS:
        if each.name in task.secrets:
            found[each.name] = task.secrets[each.name].reveal().decode(errors="replace")
    return {**found, "timeout": task.seconds()}


class Vault:
    """Vault for one step of a rotation, signed in."""

    def __init__(self, task: Task, *, again: bool = True) -> None:
        """Sign in; without `again` nothing is asked twice, for there are reads that make things."""
        chosen = settings(task) if again else {**settings(task), "retries": 0}
        self._connection = Connection(chosen, name="vault")
        self._adapter: Adapter = self._connection.adapter()

    def get(self, path: str) -> dict[str, Any]:
        return self._asked("GET", path, "read", None)

    def post(self, path: str, content: Mapping[str, Any], *, token: str = "") -> dict[str, Any]:
        return self._asked("POST", path, "update", content, token)

    def get_as(self, token: str, path: str) -> dict[str, Any]:
        """Read a path with another token than ours."""
        return self._asked("GET", path, "read", None, token)

    def sign_in(self) -> dict[str, Any]:
        """Return what Vault knows of our own token."""
        return self._adapter.lookup()

    def require(self, *wanted: tuple[str, str]) -> None:
        """Raise `DeniedError` unless our policies allow all: pairs of a path and a capability."""
        found = self.post("sys/capabilities-self", {"paths": [path for path, _ in wanted]})
        allowed = found.get("data", found)
        missing = [
            (path, capability)
            for path, capability in wanted
            if not {capability, "root"} & set(allowed.get(path) or ())
        ]
        if missing:
            raise _not_allowed(*missing[0], [*wanted])

    def _asked(
        self,
        method: str,
        path: str,
        capability: str,
        content: Mapping[str, Any] | None,
        token: str = "",
    ) -> dict[str, Any]:
        adapter = self._adapter
        ours = adapter.token
        adapter.token = token or ours
        try:
            return adapter.request(method, f"/v1/{path}", json=content)
        except rejected_class() as rejected:
            raise self._refusal(rejected, path, capability) from None
        finally:
            adapter.token = ours

    def _refusal(self, rejected: Rejected, path: str, capability: str) -> OpenclawError:
        if rejected.status == _ABSENT:
            return NotFoundError(f"vault has nothing at {path}", hint=f"vault path-help {path}")
        if rejected.status not in _DENIED:
            return meaning(self._adapter, rejected, f"{capability} {path}")
        if not self._adapter.lookup():
            return NotAcceptedError(
                f"vault does not accept {self._connection.signed_in_with}", hint="vault login"
            )
        return _not_allowed(path, capability, [(path, capability)])


def _not_allowed(path: str, capability: str, wanted: list[tuple[str, str]]) -> DeniedError:
    """Return the error for what no policy allows; its hint is all of the policy that is needed."""
    lines = [f'path "{each}" {{ capabilities = ["{what}"] }}' for each, what in wanted]
    return DeniedError(
        f"no policy of ours in vault allows to {capability} {path}",
        hint=f"add to a policy: {' '.join(lines)}",
    )


def role(task: Task) -> tuple[str, str]:
    """Return the engine's mount and the role's name, as a path has them."""
    return in_path(task.settings["mount"]), in_path(task.settings["name"])
