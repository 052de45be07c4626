"""Anthropic: a person makes the new key in the Console, and we disable the old one.

Anthropic's Admin API lists keys and disables them, and makes none. So the secret becomes due, is
reported, and `openclaw secrets set` keeps the new key; after the grace time the old one is told
from the others by what Anthropic shows of it, and made inactive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw_cli.errors import RefusedError
from openclaw_cli.model import SecretValue
from openclaw_cli.providers.provider import PERSON
from openclaw_cli.rotation import http
from openclaw_cli.rotation.http import Api, Rejected
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task

TITLE = "Anthropic"
_KEYS = "/v1/organizations/api_keys"
_UNKNOWN = 401
_PAGE = 1000
_CONSOLE = "https://platform.claude.com/settings/keys"
_NEEDS = "an Admin API key: https://platform.claude.com/settings/admin-keys"


class Anthropic:
    name = "anthropic"
    kind = PERSON
    SETTINGS = (
        Setting("admin", "An Admin API key: sk-ant-admin....", required=True, secret=True),
        *http.settings("https://api.anthropic.com"),
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        return True

    def check(self, task: Task) -> None:
        """See that the Admin API key is one."""
        _asked(task, "GET", f"{_KEYS}?limit=1", "list the keys")

    def create(self, task: Task) -> Made:
        raise _by_hand(task)

    def set(self, task: Task, pending: Held) -> None:  # noqa: ARG002
        raise _by_hand(task)

    def test(self, task: Task, value: Held) -> None:
        if not _is_accepted(task, value):
            raise RefusedError(f"Anthropic does not accept the key of {task.name}", hint=_CONSOLE)

    def undo(self, task: Task, pending: Held) -> None:
        """Do nothing: there is nothing that we made."""

    def revoke(self, task: Task, old: Held) -> None:
        """Make the key inactive; the Console can make it active again, and delete it."""
        value = http.token(old.value.reveal(), task.name)
        ids = [str(each.get("id")) for each in _active(task) if _shows(each, value)]
        if len(ids) == 1:
            path = f"{_KEYS}/{http.segment(ids[0])}"
            _asked(task, "POST", path, "disable a key", {"status": "inactive"})
        elif _is_accepted(task, old):
            raise RefusedError(
                f"no one key is surely the old one of {task.name}",
                hint=f"disable it by hand: {_CONSOLE}",
            )


def _active(task: Task) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        path = f"{_KEYS}?status=active&limit={_PAGE}"
        page = _asked(task, "GET", path + after, "list the keys")
        if not isinstance(page.get("data"), list):
            raise Api(task, TITLE).odd()
        some = http.objects(page["data"])
        found += some
        last = str(page.get("last_id") or "")
        if page.get("has_more") is not True or not last or not some:
            return found
        after = f"&after_id={http.segment(last)}"


def _asked(
    task: Task, method: str, path: str, to_do: str, content: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    api = Api(task, TITLE)
    headers = _headers(task.secrets["admin"], "the admin's secret")
    try:
        return api.send(method, path, headers, content=content)
    except Rejected as rejected:
        raise api.meaning(rejected, to_do, _NEEDS) from None


def _is_accepted(task: Task, held: Held) -> bool:
    try:
        Api(task, TITLE).send("GET", "/v1/models?limit=1", _headers(held.value, task.name))
    except Rejected as rejected:
        return rejected.status != _UNKNOWN
    return True


def _headers(value: SecretValue, name: str) -> dict[str, str]:
    return {"x-api-key": http.token(value.reveal(), name), "anthropic-version": "2023-06-01"}


def _shows(key: Mapping[str, Any], value: str) -> bool:
    start, dots, end = str(key.get("partial_key_hint") or "").partition("...")
    return bool(dots and start and end) and value.startswith(start) and value.endswith(end)


def _by_hand(task: Task) -> RefusedError:
    return RefusedError(
        f"Anthropic's keys are made in its Console only: {_CONSOLE}",
        hint=f"openclaw secrets set {task.name}",
    )
