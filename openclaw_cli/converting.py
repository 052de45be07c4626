"""A configuration in another language: JSON with comments, YAML or TOML in, one of them out.

Comments are lost, and said to be. What the other language cannot hold is an error, not a loss.
"""

from __future__ import annotations

import json
from typing import Any

from openclaw_cli.document import parsed
from openclaw_cli.errors import ConfigError, OpenclawError, UsageError

LANGUAGES = ("json", "toml", "yaml")


def converted(path: str, data: bytes, to: str) -> str:
    """Return a file's text in another language; raises `ConfigError` for what that cannot hold."""
    if to not in LANGUAGES:
        raise UsageError(f"no language is called {to}", hint=f"--to {', '.join(LANGUAGES)}")
    try:
        document: Any = parsed(path, data.decode())
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8", hint="save it as UTF-8") from None
    except (ValueError, RecursionError, OpenclawError):
        raise ConfigError(f"{path} cannot be read", hint=f"openclaw config check {path}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{path} is not an object", hint=f"openclaw config check {path}")
    try:
        return _WRITERS[to](document)
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(
            f"{path} holds what {to} cannot: a null, a date, or a list of mixed kinds",
            hint="--to json",
        ) from None


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _toml(document: dict[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(document)


def _yaml(document: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(json.loads(_json(document)), sort_keys=False, allow_unicode=True)


_WRITERS = {"json": _json, "toml": _toml, "yaml": _yaml}
