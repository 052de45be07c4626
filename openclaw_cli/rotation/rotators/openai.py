"""OpenAI: an API key of a project's service account, made and deleted by the Admin API.

Each rotation gives its key a name of its own, so that one whose reply was lost is found again and
deleted. A key that a person made is told by what OpenAI shows of it, and deleted the same way.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from openclaw_cli.errors import NotFoundError, RefusedError
from openclaw_cli.model import SecretValue
from openclaw_cli.providers.provider import MINTED
from openclaw_cli.rotation import http
from openclaw_cli.rotation.http import Api, Rejected
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task

TITLE = "OpenAI"
_UNKNOWN = 401
_PAGE = 100
_PATIENCE = 15.0  # seconds until a new key is known everywhere
_NEEDS = "an admin key of an owner: https://platform.openai.com/settings/organization/admin-keys"


class Openai:
    name = "openai"
    kind = MINTED
    SETTINGS = (
        Setting("project", "The project's id: proj_....", required=True),
        Setting("service-account", "The service account's id: svc_acct_....", required=True),
        Setting("admin", "An admin API key of the organization.", required=True, secret=True),
        *http.settings("https://api.openai.com"),
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        return True

    def check(self, task: Task) -> None:
        """See that the service account is there, and whose the old key is."""
        openai = _Openai(task)
        openai.ask("GET", f"/service_accounts/{openai.account}", "read the service account")
        openai.listed()

    def create(self, task: Task) -> Made:
        openai = _Openai(task)
        held = {each.handle for each in task.held}
        for key in openai.listed():
            if key.get("name") == openai.mark and key.get("id") not in held:
                openai.delete(str(key.get("id")))
        content: dict[str, Any] = {"name": openai.mark}
        scopes = [scope.strip() for scope in task.scope.split(",") if scope.strip()]
        if scopes:
            content["scopes"] = scopes
        path = f"/service_accounts/{openai.account}/api_keys"
        found = http.texts(openai.ask("POST", path, "make a key", content), "value", "id")
        if not found:
            raise openai.api.odd()
        return Made(SecretValue(found[0].encode()), found[1])

    def set(self, task: Task, pending: Held) -> None:
        """Do nothing: OpenAI accepts the key since it made it."""

    def test(self, task: Task, value: Held) -> None:
        """Sign in; a new key is not known everywhere at once."""
        api, headers = Api(task, TITLE), _bearer(value.value, task.name)
        until = time.monotonic() + min(_PATIENCE, task.seconds())
        while not _is_accepted(api, headers):
            # Only a key that was just made is waited for.
            if value.handle not in _new(task) or time.monotonic() + 1 > until:
                raise RefusedError(f"OpenAI does not accept the key of {task.name}")
            time.sleep(1)

    def undo(self, task: Task, pending: Held) -> None:
        self.revoke(task, pending)

    def revoke(self, task: Task, old: Held) -> None:
        """Delete the key: by its id, or by what OpenAI shows of it where a person made it."""
        openai = _Openai(task)
        key = old.handle or openai.shown_as(old)
        if key:
            openai.delete(key)
        elif _is_accepted(openai.api, _bearer(old.value, task.name)):
            raise RefusedError(
                f"no one key of the project is surely the old one of {task.name}",
                hint="delete it by hand: https://platform.openai.com/api-keys",
            )


class _Openai:
    """The keys of one project, as an admin sees them."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.api = Api(task, TITLE)
        self._headers = _bearer(task.secrets["admin"], "the admin's secret")
        project = http.segment(task.settings["project"])
        self._project = f"/v1/organization/projects/{project}"
        self.account = http.segment(task.settings["service-account"])
        self.mark = f"openclaw-{task.token[:16]}"

    def ask(
        self, method: str, path: str, to_do: str, content: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            return self.api.send(method, self._project + path, self._headers, content=content)
        except Rejected as rejected:
            raise self.api.meaning(rejected, to_do, _NEEDS) from None

    def listed(self) -> list[dict[str, Any]]:
        """Return the keys of the project."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            path = f"/api_keys?limit={_PAGE}" + (f"&after={http.segment(after)}" if after else "")
            page = self.ask("GET", path, "list the keys of the project")
            if not isinstance(page.get("data"), list):
                raise self.api.odd()
            some = http.objects(page["data"])
            found += some
            after = str(page.get("last_id") or "")
            if page.get("has_more") is not True or not after or not some:
                return found

    def delete(self, key: str) -> None:
        try:
            self.ask("DELETE", f"/api_keys/{http.segment(key)}", "delete a key")
        except NotFoundError:
            return

    def shown_as(self, old: Held) -> str:
        """Return the id of the one key that is shown as a value would be, sk-abc...xyz; or ""."""
        value = http.token(old.value.reveal(), self._task.name)
        ids = [str(key.get("id")) for key in self.listed() if _shows(key, value)]
        return ids[0] if len(ids) == 1 else ""


def _is_accepted(api: Api, headers: Mapping[str, str]) -> bool:
    """List the models; a key that may not do that is one, too."""
    try:
        api.send("GET", "/v1/models", headers)
    except Rejected as rejected:
        return rejected.status != _UNKNOWN
    return True


def _new(task: Task) -> tuple[str, ...]:
    return (task.pending.handle,) if task.pending else ()


def _shows(key: Mapping[str, Any], value: str) -> bool:
    start, dots, end = str(key.get("redacted_value") or "").replace("*", ".").partition("...")
    end = end.lstrip(".")
    return bool(dots and start and end) and value.startswith(start) and value.endswith(end)


def _bearer(value: SecretValue, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {http.token(value.reveal(), name)}"}
