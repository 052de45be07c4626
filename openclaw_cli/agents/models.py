"""Which endpoint answers for a model, in which protocol, and which secret opens it. Pure.

The settings' `models` table comes first, then what everybody means by `claude-...`, `gpt-...` and
`local/...`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from openclaw_cli.agents.spec import Model
from openclaw_cli.errors import ConfigError
from openclaw_cli.sanitize import safe

ANTHROPIC = "anthropic"
OPENAI = "openai"
PROTOCOLS = (ANTHROPIC, OPENAI)

_CLAUDE = Model("claude-*", "https://api.anthropic.com", ANTHROPIC, "anthropic-api-key")
_GPT = Model("gpt-*", "https://api.openai.com", OPENAI, "openai-api-key")
_LOCAL = Model("local/*", "http://127.0.0.1:11434", OPENAI)
USUAL = {
    "claude*": _CLAUDE,
    "anthropic/*": _CLAUDE,
    "gpt*": _GPT,
    "o[134]*": _GPT,
    "openai/*": _GPT,
    "local/*": _LOCAL,
    "ollama/*": _LOCAL,
}
_BEFORE_NAME = ("anthropic/", "openai/", "local/", "ollama/")


def resolve(name: str, models: Mapping[str, Model]) -> Model:
    """Return the model of a name; raises `ConfigError` with what to add for an unknown one."""
    for table in (models, USUAL):
        exact = table.get(name)
        pattern = next((each for each in table if fnmatchcase(name, each)), "")
        found = exact or table.get(pattern)
        if found is not None:
            called = found.called or _name_there(name)
            return Model(name, found.endpoint, found.protocol, found.secret, called)
    raise ConfigError(
        f"no endpoint is known for the model {safe(name)}",
        hint=f'[models."{safe(name)}"] endpoint = "https://...", protocol = "openai", secret = ...',
    )


def _name_there(name: str) -> str:
    before = next((each for each in _BEFORE_NAME if name.startswith(each)), "")
    return name[len(before) :]
