"""GitHub Apps: a token of an installation, which GitHub ends an hour after it was made.

The app signs in with its private key and is given a token for what the settings name, never more
than the installation allows. One whose reply was lost cannot be found again; it ends by itself.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from openclaw_cli.errors import ConfigError, RefusedError
from openclaw_cli.model import SecretValue
from openclaw_cli.providers.provider import MINTED
from openclaw_cli.rotation import http
from openclaw_cli.rotation.http import Api, Rejected
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task
from openclaw_cli.sanitize import safe

TITLE = "GitHub"
VERSION = {"X-GitHub-Api-Version": "2022-11-28", "Accept": "application/vnd.github+json"}
_LIVES = 540  # seconds of the app's own proof; GitHub takes 10 minutes at most
_SKEW = 60  # seconds that GitHub's clock and ours may be apart
_UNKNOWN = 401
_LEVELS = ("read", "write", "admin")
_NEEDS = "the App's id and private key: https://github.com/settings/apps"


class GithubApp:
    name = "github-app"
    kind = MINTED
    SETTINGS = (
        Setting("app", "The App's id or client id.", required=True),
        Setting("installation", "The installation's id.", required=True),
        Setting("key", "The App's private key, as GitHub gave it.", required=True, secret=True),
        Setting("repositories", "Only these: api,web. Nothing: all of the installation."),
        Setting("permissions", "Only these: contents:read,issues:write. Nothing: all of them."),
        *http.settings("https://api.github.com"),
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        return True

    def check(self, task: Task) -> None:
        """Sign in as the App, and see that the installation allows what is asked for."""
        wanted = _permissions(task)
        app = _App(task)
        allowed = app.ask("GET", "", "read the installation")
        if allowed.get("suspended_at"):
            raise RefusedError("the installation of the GitHub App is suspended")
        granted = allowed.get("permissions")
        granted = granted if isinstance(granted, dict) else {}
        for name, level in wanted.items():
            has = granted.get(name)
            if has not in _LEVELS or _LEVELS.index(has) < _LEVELS.index(level):
                raise RefusedError(
                    f"the installation of the GitHub App does not have {safe(name)}:{level}",
                    hint="add it on the App's page, and accept it where it is installed",
                )

    def create(self, task: Task) -> Made:
        content: dict[str, Any] = {}
        if _permissions(task):
            content["permissions"] = _permissions(task)
        repositories = [each.strip() for each in task.settings["repositories"].split(",")]
        if any(repositories):
            content["repositories"] = [each for each in repositories if each]
        app = _App(task)
        found = app.ask("POST", "/access_tokens", "make a token", content)
        made = http.texts(found, "token")
        if not made:
            raise app.api.odd()
        return Made(SecretValue(made[0].encode()))

    def set(self, task: Task, pending: Held) -> None:
        """Do nothing: GitHub accepts the token since it made it."""

    def test(self, task: Task, value: Held) -> None:
        try:
            _with(task, value, "GET", "/installation/repositories?per_page=1")
        except Rejected as rejected:
            if rejected.status == _UNKNOWN:
                raise RefusedError(f"GitHub does not accept the token of {task.name}") from None
            raise Api(task, TITLE).meaning(rejected, "use the token", _NEEDS) from None

    def undo(self, task: Task, pending: Held) -> None:
        self.revoke(task, pending)

    def revoke(self, task: Task, old: Held) -> None:
        """Have the token end itself; one that has ended is not known any more."""
        try:
            _with(task, old, "DELETE", "/installation/token")
        except Rejected as rejected:
            if rejected.status != _UNKNOWN:
                raise Api(task, TITLE).meaning(rejected, "revoke the token", _NEEDS) from None


class _App:
    """One installation, as the App itself sees it."""

    def __init__(self, task: Task) -> None:
        self.api = Api(task, TITLE)
        self._path = f"/app/installations/{http.segment(task.settings['installation'])}"
        self._headers = {**VERSION, "Authorization": f"Bearer {_proof(task)}"}

    def ask(
        self, method: str, path: str, to_do: str, content: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            return self.api.send(method, self._path + path, self._headers, content=content)
        except Rejected as rejected:
            raise self.api.meaning(rejected, to_do, _NEEDS) from None


def _with(task: Task, held: Held, method: str, path: str) -> None:
    bearer = http.token(held.value.reveal(), task.name)
    Api(task, TITLE).send(method, path, {**VERSION, "Authorization": f"Bearer {bearer}"})


def _permissions(task: Task) -> dict[str, str]:
    """Return what the token may do: the setting's, and of these no more than the scope says."""
    wanted = _parsed(task.settings["permissions"])
    scope = _parsed(task.scope)
    for name, level in wanted.items():
        if scope and (name not in scope or _LEVELS.index(scope[name]) < _LEVELS.index(level)):
            raise ConfigError(f"the scope of {task.name} does not allow {safe(name)}:{level}")
    return wanted or scope


def _parsed(text: str) -> dict[str, str]:
    found = {}
    for each in filter(None, (part.strip() for part in text.split(","))):
        name, _, level = each.partition(":")
        if not name or level not in _LEVELS:
            raise ConfigError(
                f"not a permission of GitHub's: {safe(each)}", hint="contents:read,issues:write"
            )
        found[name] = level
    return found


def _proof(task: Task) -> str:
    """Return the App's own token: JSON signed with its key (RS256)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(task.secrets["key"].reveal(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigError("the secret of the setting key is no RSA private key", hint=_NEEDS)
    now = int(time.time())
    claims = {"iat": now - _SKEW, "exp": now + _LIVES - _SKEW, "iss": task.settings["app"]}
    signed = b".".join(_coded(json.dumps(each).encode()) for each in (_HEAD, claims))
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return (signed + b"." + _coded(signature)).decode()


_HEAD = {"alg": "RS256", "typ": "JWT"}


def _coded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
