"""The desktop's keyring, asked by a child process that is ended when it takes too long.

A secret service that hangs blocks its callers for ever, and the library can be led to run other
people's code: so it is never imported here. `keyring_child.py` says which services are trusted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

_CHILD = (
    "import sys; sys.path[:] = sys.argv[1:];"
    "from openclaw_cli.backends.connect.keyring_child import main; main()"
)


class KeyringTroubleError(Exception):
    """Why there is no answer, in one word.

    `none` no keyring answers here; `slow` not in time; `locked`; `absent` no such item; `refused`;
    `lost` it does not keep what it is given; `other` it holds something else than was just given;
    `unlisted` it cannot say what it holds.
    """

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def get(service: str, user: str, seconds: float) -> str:
    """Return one secret; raises `KeyringTroubleError`."""
    found = get_many(service, [user], seconds)[user]
    if isinstance(found, KeyringTroubleError):
        raise found
    return found


def get_many(
    service: str, users: list[str], seconds: float
) -> dict[str, str | KeyringTroubleError]:
    """Return each secret, or what stands in its place, all asked for by one child."""
    answers = _asked({"verb": "get", "service": service, "users": users}, seconds)["found"]
    return {user: _one(answers[user]) for user in users}


def put(service: str, user: str, secret: str, seconds: float) -> None:
    """Keep a secret, and look whether it is kept; it goes through pipes, never arguments."""
    _asked({"verb": "set", "service": service, "users": [user], "secret": secret}, seconds)


def delete(service: str, user: str, seconds: float) -> None:
    """Take a secret out; one that is not there is `absent`."""
    _asked({"verb": "delete", "service": service, "users": [user]}, seconds)


def names(service: str, seconds: float) -> list[str]:
    """Return the users of a service, sorted."""
    answer = _asked({"verb": "names", "service": service, "users": []}, seconds)
    return [str(name) for name in answer["names"]]


def probe(seconds: float) -> None:
    """Raise unless a keyring that we trust answers."""
    _asked({"verb": "probe", "service": "", "users": []}, seconds)


def _one(answer: dict[str, str]) -> str | KeyringTroubleError:
    return KeyringTroubleError(answer["trouble"]) if "trouble" in answer else answer["secret"]


def _asked(request: dict[str, Any], seconds: float) -> dict[str, Any]:
    path = [each for each in sys.path if each.startswith("/")]
    try:
        done = subprocess.run(  # noqa: S603  our own code, by our own interpreter
            [sys.executable, "-I", "-S", "-c", _CHILD, *path],
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            timeout=seconds,
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise KeyringTroubleError("slow") from None
    except (OSError, ValueError):
        raise KeyringTroubleError("none") from None
    if "trouble" in answer:
        raise KeyringTroubleError(str(answer["trouble"]))
    return answer


def _environment() -> dict[str, str]:
    """Return ours without what chooses the keyring's code or changes its settings."""
    return {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("PYTHON", "KEYRING_PROPERTY_"))
    }
