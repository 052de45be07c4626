"""AWS as rotators sign in to it."""

from __future__ import annotations

import re

from openclaw_cli.backends.connect import aws
from openclaw_cli.errors import ConfigError
from openclaw_cli.model import SecretValue
from openclaw_cli.rotation.rotator import Setting, Task

SETTINGS = (
    Setting("admin", "An access key to do it with, in place of how the CLI signs in.", secret=True),
    Setting("profile", "The profile of ~/.aws to do it with."),
    Setting("role-arn", "A role to take on."),
    Setting("external-id", "What the role's owner asks for, to take it on."),
    Setting("region", "The region; nothing: AWS_REGION, AWS_DEFAULT_REGION, the profile's."),
    Setting("endpoint", "Where the service is; nothing: AWS_ENDPOINT_URL, else Amazon's own."),
    Setting("ca-cert", "A file of certificates to trust; nothing: AWS_CA_BUNDLE."),
    Setting("proxy", "An HTTP proxy. HTTPS_PROXY is not looked at."),
)
ADMIN = "admin"
ID = re.compile(r"(?<![A-Z0-9])AKIA[A-Z0-9]{16}(?![A-Z0-9])")
SECRET = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])")

Key = tuple[str, str]


def connection(task: Task, kind: str, title: str, key: Key | None = None) -> aws.Connection:
    """Return AWS as the admin's key signs in to it, else `key`, else as the AWS CLI would."""
    if ADMIN in task.secrets:
        key = in_text(task.secrets[ADMIN], "the admin's secret")
    return with_key(task, kind, title, key)


def with_key(task: Task, kind: str, title: str, key: Key | None) -> aws.Connection:
    """Return AWS as this key signs in to it; without one, as the AWS CLI would."""
    names = ["region", "endpoint", "ca-cert", "proxy"]
    if key is None:
        names += ["profile", "role-arn", "external-id"]
    given: dict[str, str | float] = {name: task.settings[name] for name in names}
    given["timeout"] = task.seconds()
    return aws.Connection(given, kind=kind, title=title, key=key, written="--setting {}={}")


def in_text(value: SecretValue, name: str) -> Key:
    """Find the id and the secret key, whatever is around them: JSON, an INI file, ID:SECRET."""
    found = text(value, name)
    ids, secrets = set(ID.findall(found)), set(SECRET.findall(found))
    if len(ids) != 1 or len(secrets) != 1:
        raise ConfigError(
            f"{name} does not hold one access key: its id, AKIA..., and the secret key",
            hint='keep both: {"AccessKeyId": "...", "SecretAccessKey": "..."}, or ID:SECRET',
        )
    return ids.pop(), secrets.pop()


def renewed(value: SecretValue, name: str, key: Key) -> SecretValue:
    """Return a value with another key in the place of its own, whatever is around it."""
    id_, secret = key
    return SecretValue(SECRET.sub(secret, ID.sub(id_, text(value, name))).encode())


def text(value: SecretValue, name: str) -> str:
    """Return a value as text; raises `ConfigError`."""
    try:
        return value.reveal().decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{name} is no text, so it holds no access key") from None
