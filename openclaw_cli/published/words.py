"""The words that people write for a key, a backend or a rotation, and ours for the same."""

from __future__ import annotations

import re

from openclaw_cli import duration
from openclaw_cli.backends import BACKENDS
from openclaw_cli.errors import OpenclawError

LOCAL = "local"

BACKEND_WORDS = {
    "aws": "aws-secrets-manager",
    "awsparameterstore": "aws-parameter-store",
    "awssecretsmanager": "aws-secrets-manager",
    "awssm": "aws-secrets-manager",
    "awsssm": "aws-parameter-store",
    "bao": "vault",
    "env": "env",
    "environment": "env",
    "exec": "exec",
    "file": "file",
    "hashicorp": "vault",
    "hashicorpvault": "vault",
    "keychain": "keyring",
    "keyring": "keyring",
    "local": LOCAL,
    "openbao": "vault",
    "parameterstore": "aws-parameter-store",
    "secretsmanager": "aws-secrets-manager",
    "ssm": "aws-parameter-store",
    "vault": "vault",
}
WRAPPING_WORDS = {
    "awskms": "aws-kms",
    "file": "file",
    "hashicorpvault": "vault-transit",
    "keyring": "keyring",
    "kms": "aws-kms",
    "passphrase": "passphrase",
    "transit": "vault-transit",
    "vault": "vault-transit",
    "vaulttransit": "vault-transit",
}

_REGULARLY = ("daily", "weekly", "monthly")
_NEVER = ("manual", "never", "none")
NO_ROTATION = "takes daily, weekly, monthly, every:12h or cron:0 3 * * *, and 5 minutes at least"
_CRON_FIELDS = 5
_SHORTEST = 5 * duration.MINUTE
_NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_IS_CRON = re.compile(r"[0-9A-Za-z*/,\- ]{9,100}")
IS_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")


def canonical(key: str) -> str:
    """Write a key as we do: `maxAge`, `max_age` and `max-age` are one key."""
    return _NEW_WORD.sub("-", key).replace("_", "-").lower()


def backend_called(word: str) -> str:
    """Return our name for a backend that people call so, "" for none."""
    return BACKEND_WORDS.get(plain_word(word), "")


def plain_word(word: object) -> str:
    """Write a backend's name without what people write differently: hashiCorp-vault."""
    return re.sub(r"[^a-z0-9]", "", word.lower()) if isinstance(word, str) else ""


def known_backends() -> str:
    return f"known: {', '.join((LOCAL, *BACKENDS.ours))}"


def meant(word: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1)
    return f"did you mean {BACKEND_WORDS.get(close[0], close[0])}?" if close else ""


def rotation(value: object) -> str | None:
    """Return a rotation policy as we write it, "" for none, None for what is not understood."""
    if value is False:
        return ""
    if not isinstance(value, str):
        return None
    word = value.strip().lower()
    if word in _REGULARLY:
        return word
    if word in _NEVER:
        return ""
    text = value.strip().removeprefix("cron:").strip()
    if len(text.split()) == _CRON_FIELDS and _IS_CRON.fullmatch(text):
        return f"cron:{' '.join(text.split())}" if _comes(text) else None
    try:
        seconds = int(duration.parse(word.removeprefix("every:").strip()))
    except OpenclawError:
        return None
    return f"every:{duration.exact(seconds)}" if seconds >= _SHORTEST else None


def _comes(expression: str) -> bool:
    """Tell whether a cron expression can be read and ever comes."""
    from datetime import UTC, datetime

    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration):
        return False
    return True
