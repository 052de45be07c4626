"""E20 for every key of the examples: misspelt, or with a value of another kind, it is told.

With the line it stands on and a mend, in `openclaw.json` and in `settings.toml`. Names that people
choose cannot be misspelt, and what is the OpenClaw gateway's, too, is left alone in its own file.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from openclaw_cli import config
from openclaw_cli.source import Source

Keys = tuple[str | int, ...]

EXAMPLES: dict[str, dict[str, Any]] = {
    "C1": {
        "agents": {
            "request-handler": {
                "type": "thread-bound",
                "model": "claude-sonnet-4.2",
                "max-concurrency": 100,
            },
            "single": {"type": "singleton", "model": "gpt-4o"},
        }
    },
    "C2": {
        "agents": {
            "worker": {
                "runtime": "thread-bound",
                "threadBound": True,
                "auto-destroy": True,
                "timeout": 120,
                "max-concurrent": 10,
                "max-duration": 300,
                "deterministic": True,
            }
        }
    },
    "C3": {
        "agents": {"defaults": {"threadBound": True}},
        "thread-bound-agents": {
            "memory-limit": "50MB",
            "timeout": "30s",
            "max-concurrency": "50",
        },
    },
    "C4": {
        "agents": {
            "analyst": {"type": "thread-bound", "threadId": "finance-threads", "maxThreads": 2}
        }
    },
    "C5": {
        "agents": {
            "coder": {"runtime": "acp", "mode": "session", "thread": True, "sessionKey": "acp-1"}
        }
    },
    "C6": {
        "threadManagement": {
            "defaultMode": "auto",
            "maxThreads": 100,
            "idleTimeout": "30m",
            "startupReconciliation": True,
        }
    },
    "C7": {
        "externalSecrets": {
            "claude-api-key": {"source": "env", "key": "CLAUDE_API_KEY"},
            "openai-api-key": {"source": "file", "path": "/etc/openclaw/secrets/openai.key"},
        }
    },
    "C8": {
        "externalSecrets": {
            "provider": "aws-secrets-manager",
            "region": "ap-east-1",
            "cacheTTL": 300,
        }
    },
    "C9": {
        "externalSecrets": {
            "anthropic": {
                "apiKey": {
                    "source": "vault://aws-kms/anthropic/api-key",
                    "cacheDuration": "1h",
                    "rotationPolicy": "daily",
                    "envVar": "ANTHROPIC_API_KEY",
                }
            }
        }
    },
    "C10": {
        "secrets": {
            "aws": {"provider": "external", "source": "vault", "rotation": "daily"},
            "openai": {"provider": "external", "source": "secrets-manager", "rotation": "weekly"},
        },
        "encryption": {"provider": "external", "source": "aws-kms"},
    },
    "C11": {"secrets": {"openai": {"api-key": "sk-xxx", "model": "gpt-4o"}}},
    "C12": {
        "auditLog": {
            "enabled": True,
            "capture": ["secret_reveal", "thread_spawn", "agent_exec"],
            "storage": "qdrant://audit-logs",
        }
    },
    "C13": {
        "agentPermissions": {
            "allowedCommands": ["read", "write", "exec", "web_search"],
            "deniedCommands": ["rm", "delete", "network_connect"],
        }
    },
    "C14": {
        "monitoring": {
            "thread-bound-agents": {"metrics": ["execution-time", "error-rate"]},
            "secrets": {"metrics": ["access-count", "rotation-status", "exposure-risk"]},
        }
    },
    "C15": {"gateway": {"host": "0.0.0.0", "port": 18789}},  # noqa: S104 - as it is published
    "C16": {"cron": [{"name": "rotate-secrets", "schedule": "0 3 * * *"}]},
    "C17": {
        "openclaw": {
            "externalSecrets": {"key": {"source": "env", "key": "A_KEY"}},
            "auditLog": {"enabled": True},
        }
    },
    "C18": {
        "anthropic": {"apiKey": "sk-ant-xxx"},
        "secrets": {"database": {"db-user": "ada", "db-password": "s3cret"}},
    },
    "C20": {
        "encryption": {"source": "aws-kms", "rotation": "daily"},
        "secrets": {"api-keys": {"source": "vault", "rotation": "weekly"}},
    },
    "C21": {
        "externalSecrets": {
            "key": {"source": "vault", "expected-from": ["10.0.0.0/8", "local"], "scope": "chat"}
        }
    },
    "C24": {"defaultModel": "claude-sonnet-4.2", "sessionTarget": "isolated", "runtime": "acp"},
    "C25": {
        "models": {
            "local/gpt-oss-120b": {
                "endpoint": "http://127.0.0.1:8080/v1",
                "protocol": "openai",
                "secret": "local-key",
            }
        }
    },
}
OF_THE_GATEWAY = {"gateway", "models", "cron", "anthropic"}
"""What its own file may hold in any form: there nothing is said of it."""

IN_JSON_ALONE = ("C17", "C18")
"""A wrapper, and a provider's own table: nobody needs them in a file that is ours."""

CHOSEN = {
    *("agents.request-handler", "agents.single", "agents.worker", "agents.analyst"),
    *("agents.coder", "externalSecrets.claude-api-key", "externalSecrets.openai-api-key"),
    *("externalSecrets.anthropic", "externalSecrets.anthropic.apiKey", "secrets.aws"),
    *("secrets.openai", "secrets.openai.api-key", "secrets.openai.model", "secrets.database"),
    *("secrets.database.db-user", "secrets.database.db-password", "secrets.api-keys"),
    *("openclaw.externalSecrets.key", "externalSecrets.key", "models.local/gpt-oss-120b"),
    *("cron.0.name", "anthropic.apiKey"),
}
"""Names that people choose: another name is no mistake. `name` of a job is a remark."""

ANY_VALUE = {
    *("secrets.openai.model", "secrets.database.db-user", "cron.0.name"),
    *("anthropic", "anthropic.apiKey"),
}
"""Keys whose value says nothing to us, in whatever form."""

AS_WELL = {"auditLog": True, "openclaw.auditLog": True, "openclaw": {"nonsense": 1}}
"""Values of another kind that are understood, or left to the gateway."""

WRONG: tuple[object, ...] = ({"nonsense": 1}, [[]], -3.7, True)


def keys_of(found: Any, above: Keys = ()) -> Iterator[Keys]:  # noqa: ANN401 - whatever is in it
    if isinstance(found, dict):
        for key, value in found.items():
            yield (*above, key)
            yield from keys_of(value, (*above, key))
    elif isinstance(found, list):
        for number, each in enumerate(found):
            yield from keys_of(each, (*above, number))


def dotted(keys: Keys) -> str:
    return ".".join(map(str, keys))


def parent_of(document: Any, keys: Keys) -> Any:  # noqa: ANN401
    for key in keys[:-1]:
        document = document[key]
    return document


def misspelt(key: str) -> str:
    """Leave out a letter in the middle: the first ones and the last ones are what is seen."""
    return key[: len(key) // 2] + key[len(key) // 2 + 1 :]


def with_misspelt(document: dict[str, Any], keys: Keys) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    table = parent_of(changed, keys)
    pairs = list(table.items())
    table.clear()
    table.update({misspelt(key) if key == keys[-1] else key: value for key, value in pairs})
    return changed


def with_value(document: dict[str, Any], keys: Keys, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    parent_of(changed, keys)[keys[-1]] = value
    return changed


def checked(folder: Path, name: str, document: dict[str, Any]) -> Source:
    path = folder / name
    text = tomli_w.dumps(document) if name.endswith(".toml") else json.dumps(document, indent=1)
    path.write_text(text)
    return config.examined(str(path))


def line_of(folder: Path, name: str, key: str) -> set[int]:
    lines = (folder / name).read_text().splitlines()
    return {number for number, line in enumerate(lines, 1) if key in line}


def cases() -> Iterator[Any]:
    for name in ("openclaw.json", "settings.toml"):
        for number, document in EXAMPLES.items():
            for keys in keys_of(document):
                if keys[0] in OF_THE_GATEWAY and name == "openclaw.json":
                    continue
                if number in IN_JSON_ALONE and name == "settings.toml":
                    continue
                yield pytest.param(name, document, keys, id=f"{name}-{number}-{dotted(keys)}")


@pytest.mark.parametrize("name", ["openclaw.json", "settings.toml"])
@pytest.mark.parametrize("number", EXAMPLES)
def test_an_example_has_no_mistake(tmp_path: Path, name: str, number: str) -> None:
    if number in IN_JSON_ALONE:
        name = "openclaw.json"
    found = checked(tmp_path, name, EXAMPLES[number])
    assert (found.mistakes, found.doubts) == ([], [])


@pytest.mark.parametrize(("name", "document", "keys"), list(cases()))
def test_a_misspelt_key_is_told_with_its_line_and_a_mend(
    tmp_path: Path, name: str, document: dict[str, Any], keys: Keys
) -> None:
    found = checked(tmp_path, name, with_misspelt(document, keys))
    told = [*found.mistakes, *found.doubts]
    if dotted(keys) in CHOSEN:
        return
    assert told
    assert all(each.what and each.fix and each.line for each in told)
    if not any(isinstance(each, int) for each in keys):  # a list's own line, for what is in it
        assert line_of(tmp_path, name, misspelt(str(keys[-1]))) & {each.line for each in told}


@pytest.mark.parametrize(("name", "document", "keys"), list(cases()))
def test_a_value_of_another_kind_is_told_with_its_line_and_a_mend(
    tmp_path: Path, name: str, document: dict[str, Any], keys: Keys
) -> None:
    before = parent_of(document, keys)[keys[-1]]
    for wrong in WRONG:
        if isinstance(wrong, type(before)) and not isinstance(before, str):
            continue
        found = checked(tmp_path, name, with_value(document, keys, wrong))
        told = [*found.mistakes, *found.doubts]
        if dotted(keys) in ANY_VALUE or AS_WELL.get(dotted(keys)) == wrong:
            continue
        assert told, wrong
        assert all(each.what and each.fix and each.line for each in told), told
