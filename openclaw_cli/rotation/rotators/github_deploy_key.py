"""GitHub deploy keys: an SSH key for one repository. The value is the private key.

We make the pair and tell GitHub the public half. A key is told from others by that half, so one
that was added and whose reply was lost is not added twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw_cli.errors import ConfigError, NotFoundError, RefusedError
from openclaw_cli.model import SecretValue
from openclaw_cli.providers.provider import CHOSEN
from openclaw_cli.rotation import generators, http
from openclaw_cli.rotation.http import Api, Rejected
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task
from openclaw_cli.rotation.rotators.github_app import TITLE, VERSION
from openclaw_cli.sanitize import safe

_NEEDS = "a token with Administration: write for the repository"
_PAGE = 100


class GithubDeployKey:
    name = "github-deploy-key"
    kind = CHOSEN
    SETTINGS = (
        Setting("repository", "The repository: OWNER/NAME.", required=True),
        Setting("admin", "A token that may write its keys.", required=True, secret=True),
        Setting("write", "yes: the key may push, too."),
        *http.settings("https://api.github.com"),
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        return True

    def check(self, task: Task) -> None:
        if task.settings["write"] not in ("", "no", "yes"):
            raise ConfigError("the setting write is yes or no")
        if task.settings["write"] == "yes" and task.scope and "write" not in task.scope:
            raise ConfigError(
                f"the scope of {task.name} does not allow a key that pushes: {safe(task.scope)}",
                hint="--setting write=no",
            )
        _Repository(task).keys()

    def create(self, task: Task) -> Made:  # noqa: ARG002
        return Made(SecretValue(generators.parse("ssh").generate().value))

    def set(self, task: Task, pending: Held) -> None:
        repository = _Repository(task)
        public = _public(pending, task.name)
        if repository.ids(public):
            return
        content = {
            "title": f"openclaw {task.name} {task.token[:8]}",
            "key": public,
            "read_only": task.settings["write"] != "yes",
        }
        repository.ask("POST", "/keys", "add a deploy key", content)

    def test(self, task: Task, value: Held) -> None:
        """See that GitHub has the public half; it is asked over HTTPS, not by signing in."""
        if not _Repository(task).ids(_public(value, task.name)):
            raise RefusedError(f"GitHub does not have the deploy key of {task.name}")

    def undo(self, task: Task, pending: Held) -> None:
        self.revoke(task, pending)

    def revoke(self, task: Task, old: Held) -> None:
        repository = _Repository(task)
        for id_ in repository.ids(_public(old, task.name)):
            repository.delete(id_)


class _Repository:
    """The deploy keys of one repository."""

    def __init__(self, task: Task) -> None:
        owner, slash, name = task.settings["repository"].partition("/")
        if not slash:
            raise ConfigError("the setting repository is OWNER/NAME")
        self._api = Api(task, TITLE)
        self._path = f"/repos/{http.segment(owner)}/{http.segment(name)}"
        bearer = http.token(task.secrets["admin"].reveal(), "the admin's secret")
        self._headers = {**VERSION, "Authorization": f"Bearer {bearer}"}

    def ask(
        self, method: str, path: str, to_do: str, content: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        listed = method == "GET"
        try:
            return self._api.send(
                method, self._path + path, self._headers, content=content, listed=listed
            )
        except Rejected as rejected:
            raise self._api.meaning(rejected, to_do, _NEEDS) from None

    def keys(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in range(1, _PAGE):
            path = f"/keys?per_page={_PAGE}&page={page}"
            some = http.objects(self.ask("GET", path, "list the deploy keys")[http.LIST])
            found += some
            if len(some) < _PAGE:
                break
        return found

    def ids(self, public: str) -> list[str]:
        """Return the ids of the keys with this public half, whatever comment they have."""
        return [
            str(each.get("id"))
            for each in self.keys()
            if str(each.get("key", "")).split()[:2] == public.split()[:2]
        ]

    def delete(self, id_: str) -> None:
        try:
            self.ask("DELETE", f"/keys/{http.segment(id_)}", "delete a deploy key")
        except NotFoundError:
            return


def _public(held: Held, name: str) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_ssh_private_key,
    )

    try:
        key = load_ssh_private_key(held.value.reveal(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError(
            f"{name} is no private key of OpenSSH's without a passphrase",
            hint=f"openclaw secrets create {name} --generate=ssh --force",
        ) from None
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
