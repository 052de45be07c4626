"""Slack: a token of an app that opted in to token rotation, exchanged by its refresh token.

The value is JSON with both: {"access_token": "xoxe.xoxb-...", "refresh_token": "xoxe-1-..."}; an
app configuration token has "token" in place of "access_token", and needs no client id. Slack ends
an access token twelve hours after it was made, so rotate it more often than that; it documents no
way to end one sooner that surely leaves the next one alone. A refresh token is good once: when
Slack's answer is lost, a person must install the app again, and the token there is works until it
ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.model import SecretValue
from openclaw_cli.providers.provider import MINTED
from openclaw_cli.rotation import http
from openclaw_cli.rotation.http import Api, Rejected
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task

TITLE = "Slack"
_REFRESH = "refresh_token"
_PAGE = "https://api.slack.com/apps"
_USED = frozenset(("invalid_refresh_token", "invalid_grant", "token_revoked", "token_expired"))
_CLIENT = frozenset(("bad_client_secret", "invalid_client_id", "oauth_authorization_url_mismatch"))
_LATER = frozenset(("ratelimited", "internal_error", "fatal_error", "service_unavailable"))


class Slack:
    name = "slack"
    kind = MINTED
    SETTINGS = (
        Setting("client-id", "The app's client id; nothing, for an app configuration token."),
        Setting("client-secret", "The app's client secret.", secret=True),
        *http.settings("https://slack.com"),
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        """Say no: Slack ends the old one at its own time, and we cannot say when."""
        return False

    def check(self, task: Task) -> None:
        """See that both tokens are there, and that Slack accepts the one that signs in."""
        found = _fields(task, _current(task))
        by_app = bool(task.settings["client-id"])
        if by_app != ("client-secret" in task.secrets):
            raise ConfigError(
                "Slack wants the app's client id and client secret together",
                hint="--setting client-id=ID --setting client-secret=NAME, a secret",
            )
        if by_app != ("access_token" in found):
            raise ConfigError(
                f"{task.name} has its token in the field {_name(found)}, which goes "
                f"{'without' if by_app else 'with'} a client id"
            )
        self.test(task, _current(task))

    def create(self, task: Task) -> Made:
        current = _fields(task, _current(task))
        name = _name(current)
        if name == "token":
            form, path = {_REFRESH: current[_REFRESH]}, "/api/tooling.tokens.rotate"
        else:
            secret = task.secrets["client-secret"].reveal()
            form, path = (
                {
                    "grant_type": _REFRESH,
                    _REFRESH: current[_REFRESH],
                    "client_id": task.settings["client-id"],
                    "client_secret": http.token(secret, "the client's secret"),
                },
                "/api/oauth.v2.access",
            )
        answer = _asked(task, path, form=form)
        found = http.texts(answer, name, _REFRESH)
        if not found:
            raise Api(task, TITLE).odd()
        new = {**current, name: found[0], _REFRESH: found[1]}
        return Made(SecretValue(json.dumps(new).encode()))

    def set(self, task: Task, pending: Held) -> None:
        """Do nothing: Slack accepts the token since it made it."""

    def test(self, task: Task, value: Held) -> None:
        found = _fields(task, value)
        _asked(task, "/api/auth.test", bearer=http.token(found[_name(found)].encode(), task.name))

    def undo(self, task: Task, pending: Held) -> None:
        """Do nothing: the token before is accepted until it ends, and this one ends by itself."""

    def revoke(self, task: Task, old: Held) -> None:
        """Do nothing: Slack ends it by itself."""


def _asked(
    task: Task, path: str, *, form: Mapping[str, str] | None = None, bearer: str = ""
) -> dict[str, Any]:
    """Return what Slack answers; it says with status 200 that something is wrong."""
    api = Api(task, TITLE)
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    try:
        answer = api.send("POST", path, headers, form=form or {})
    except Rejected as rejected:
        raise api.meaning(rejected, "rotate a token", _PAGE) from None
    if answer.get("ok") is True:
        return answer
    error = answer.get("error")
    if not isinstance(error, str):
        raise api.odd()
    raise _refusal(task, error, signing_in=bool(bearer))


def _refusal(task: Task, error: str, *, signing_in: bool) -> OpenclawError:
    if error in _LATER:
        return TemporaryError("Slack is in trouble, or throttling us")
    if error in _CLIENT:
        return DeniedError("Slack does not know the app's client id and secret", hint=_PAGE)
    if error == "token_rotation_not_enabled":
        return RefusedError("the Slack app has not opted in to token rotation", hint=_PAGE)
    if signing_in:
        return RefusedError(f"Slack does not accept the token of {task.name}", hint=_PAGE)
    if error in _USED:
        return RefusedError(
            f"Slack does not accept the refresh token of {task.name}: it was used already",
            hint=f"install the app again ({_PAGE}), and openclaw secrets set {task.name}",
        )
    return RefusedError("Slack refuses to rotate the token", hint=_PAGE)


def _current(task: Task) -> Held:
    latest = task.current or task.previous
    if latest is None:
        raise ConfigError(
            f"{task.name} has no token to begin with", hint=f"openclaw secrets set {task.name}"
        )
    return latest


def _fields(task: Task, held: Held) -> dict[str, str]:
    try:
        found = json.loads(held.value.reveal())
    except (ValueError, RecursionError):
        found = None
    texts = isinstance(found, dict) and all(isinstance(each, str) for each in found.values())
    if not texts or not found.get(_REFRESH) or not found.get(_name(found)):
        raise ConfigError(
            f"{task.name} is not a Slack token with its refresh token, as JSON of texts",
            hint='{"access_token": "xoxe.xoxb-...", "refresh_token": "xoxe-1-..."}',
        )
    fields: dict[str, str] = found
    return fields


def _name(found: Mapping[str, str]) -> str:
    return "token" if "token" in found else "access_token"
