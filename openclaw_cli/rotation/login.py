"""Who signs in to a database, as a secret's value says it: a URL, a JSON object or a password.

A rotation changes who signs in and with what, and leaves the rest as it was written.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote

from openclaw_cli.errors import ConfigError
from openclaw_cli.model import SecretValue

PASSWORD, URL, JSON = "a password", "a URL", "JSON"

# A password may not hold @ or / unescaped, in libpq and elsewhere.
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9]*)(?P<driver>\+[a-z0-9]+)?://"
    r"(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^@/?#]*))?@)?(?P<rest>.*)",
    re.DOTALL,
)
_USERS = ("username", "user")


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password; `form` is PASSWORD, URL or JSON, `text` the whole value."""

    form: str
    user: str
    password: str = field(repr=False)
    text: str = field(repr=False)

    @property
    def url(self) -> str:
        """The URL without the driver that some programs name, and without who signs in."""
        match = _URL.fullmatch(self.text)
        return f"{match['scheme']}://{match['rest']}" if match else ""

    @property
    def fields(self) -> dict[str, object]:
        """The fields of a JSON value."""
        found: dict[str, object] = json.loads(self.text) if self.form == JSON else {}
        return found

    def renewed(self, user: str, password: str) -> SecretValue:
        """Return the value in the same form, with another user and password."""
        if self.form == URL:
            return SecretValue(_in_url(self.text, user, password).encode())
        if self.form == JSON:
            return SecretValue(_in_json(self, user, password).encode())
        return SecretValue(password.encode())


def read(value: SecretValue, name: str, schemes: tuple[str, ...], *, user: str = "") -> Login:
    """Read a value; `user` is who signs in with a bare password. No schemes: any is a URL.

    Raises `ConfigError`, which says what is wrong with the secret `name` and nothing of its value.
    """
    try:
        text = value.reveal().decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{name} is no text, so it is nobody's password here") from None
    match = _URL.fullmatch(text)
    if match and (match["scheme"] in schemes or not schemes):
        login = Login(URL, unquote(match["user"] or ""), unquote(match["password"] or ""), text)
    elif text.lstrip().startswith("{"):
        login = _of_json(text, name)
    else:
        login = Login(PASSWORD, user, text, text)
    if "\0" in login.user + login.password:
        raise ConfigError(f"{name} holds a NUL, which no user or password has")
    return login if login.user or not user else replace(login, user=user)


def other(users: str, current: Login, name: str) -> str:
    """Return whose turn it is of two users, written `app_a,app_b`; raises `ConfigError`."""
    two = [user.strip() for user in users.split(",")]
    if len(set(two)) != 2 or not all(two):  # noqa: PLR2004 - they take turns
        raise ConfigError("the setting users is not two names: users=app_a,app_b")
    if current.form == PASSWORD:
        raise ConfigError(
            f"{name} is a bare password, so nobody would learn whose turn it is",
            hint="keep a URL (SCHEME://USER:PASSWORD@HOST/DATABASE) or JSON",
        )
    return two[1] if current.user == two[0] else two[0]


def _of_json(text: str, name: str) -> Login:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError(f"{name} begins as JSON and cannot be read as that") from None
    user = next((found[key] for key in _USERS if isinstance(found.get(key), str)), "")
    password = found.get("password")
    if not isinstance(password, str):
        raise ConfigError(
            f"{name} is a JSON object without a text in its field password",
            hint='it reads {"username": "...", "password": "...", "host": "..."}',
        )
    return Login(JSON, user, password, text)


def _in_url(text: str, user: str, password: str) -> str:
    match = _URL.fullmatch(text)
    assert match, "the form was read from it"  # noqa: S101
    scheme = match["scheme"] + (match["driver"] or "")
    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{match['rest']}"


def _in_json(login: Login, user: str, password: str) -> str:
    found = json.loads(login.text)
    key = next((key for key in _USERS if key in found), _USERS[0])
    for name, text in found.items():  # a URL beside them says the same once more
        match = _URL.fullmatch(text) if isinstance(text, str) else None
        if match and unquote(match["password"] or "") == login.password:
            found[name] = _in_url(text, user, password)
    found |= {key: user, "password": password}
    if "\n" in login.text.strip():
        return json.dumps(found, indent=2, ensure_ascii=False)
    spaced = '": ' in login.text
    separators = (", ", ": ") if spaced else (",", ":")
    return json.dumps(found, separators=separators, ensure_ascii=False)
