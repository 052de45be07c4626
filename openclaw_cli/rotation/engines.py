"""What Vault's engines make: put into the form of the value before, and signed in with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from openclaw_cli.errors import ConfigError
from openclaw_cli.model import SecretValue
from openclaw_cli.rotation import aws, login
from openclaw_cli.rotation.rotator import Held, Task, checked
from openclaw_cli.rotation.rotators.aws_iam import AwsIam
from openclaw_cli.rotation.rotators.postgres import SCHEMES, Postgres

LOGIN = ("username", "password")
KEY = ("access_key", "secret_key")
_TOKEN = "security_token"  # noqa: S105  the name of a field


def formed(task: Task, fields: Mapping[str, str]) -> SecretValue:
    """Return what Vault gave in the form of the value before; as JSON when there is none."""
    before = task.current or task.previous
    if before and set(LOGIN) <= set(fields):
        known = login.read(before.value, task.name, ())
        return known.renewed(*(fields[each] for each in LOGIN))
    if before and set(KEY) <= set(fields) and _TOKEN not in fields and has_key(before):
        return aws.renewed(before.value, task.name, (fields[KEY[0]], fields[KEY[1]]))
    return SecretValue(json.dumps(dict(fields)).encode())


def has_key(held: Held) -> bool:
    """Tell whether a value holds an access key of AWS that lasts."""
    try:
        aws.in_text(held.value, "it")
    except ConfigError:
        return False
    return True


def sign_in(task: Task, value: Held) -> None:
    """Sign in with a value where we know how: a PostgreSQL URL, an access key of AWS.

    Raises `RefusedError` when it is not accepted.
    """
    if has_key(value):
        AwsIam().test(_as_for(AwsIam, task), value)
    elif _is_url(value):
        Postgres().test(_as_for(Postgres, task), value)


def _is_url(held: Held) -> bool:
    try:
        return login.read(held.value, "it", SCHEMES).form == login.URL
    except ConfigError:
        return False


def _as_for(rotator: Any, task: Task) -> Task:  # noqa: ANN401 - of a class
    return replace(task, settings=checked({}, rotator.SETTINGS, rotator.name), secrets={})
