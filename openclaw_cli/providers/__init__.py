"""The services that issue secrets: what their keys look like and which variable holds them.

One file a service, one line in the table. Packages add theirs by the entry point group
`openclaw_cli.provider`, naming a subclass of `Provider`.
"""

from __future__ import annotations

from openclaw_cli.errors import ConfigError
from openclaw_cli.providers.provider import CHOSEN, MINTED, PERSON, Provider
from openclaw_cli.registry import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "CHOSEN",
    "MINTED",
    "PERSON",
    "PROVIDERS",
    "Provider",
    "for_variable",
    "get",
    "names",
    "recognise",
    "variable_for",
]

PROVIDERS = Registry(
    "provider",
    {
        "anthropic": "openclaw_cli.providers.anthropic:Anthropic",
        "aws": "openclaw_cli.providers.aws:Aws",
        "azure-openai": "openclaw_cli.providers.azure_openai:AzureOpenai",
        "brave": "openclaw_cli.providers.brave:Brave",
        "cohere": "openclaw_cli.providers.cohere:Cohere",
        "deepseek": "openclaw_cli.providers.deepseek:Deepseek",
        "discord": "openclaw_cli.providers.discord:Discord",
        "elevenlabs": "openclaw_cli.providers.elevenlabs:Elevenlabs",
        "gemini": "openclaw_cli.providers.gemini:Gemini",
        "generic": "openclaw_cli.providers.generic:Generic",
        "github": "openclaw_cli.providers.github:Github",
        "google": "openclaw_cli.providers.google:Google",
        "groq": "openclaw_cli.providers.groq:Groq",
        "huggingface": "openclaw_cli.providers.huggingface:Huggingface",
        "mistral": "openclaw_cli.providers.mistral:Mistral",
        "mysql": "openclaw_cli.providers.mysql:Mysql",
        "notion": "openclaw_cli.providers.notion:Notion",
        "openai": "openclaw_cli.providers.openai:Openai",
        "openrouter": "openclaw_cli.providers.openrouter:Openrouter",
        "postgres": "openclaw_cli.providers.postgres:Postgres",
        "replicate": "openclaw_cli.providers.replicate:Replicate",
        "sendgrid": "openclaw_cli.providers.sendgrid:Sendgrid",
        "slack": "openclaw_cli.providers.slack:Slack",
        "stripe": "openclaw_cli.providers.stripe:Stripe",
        "tavily": "openclaw_cli.providers.tavily:Tavily",
        "telegram": "openclaw_cli.providers.telegram:Telegram",
        "twilio": "openclaw_cli.providers.twilio:Twilio",
        "xai": "openclaw_cli.providers.xai:Xai",
    },
)

_BEGIN = {
    "anthropic": (b"sk-ant-",),
    "aws": (b"AKIA", b"ASIA", b"ABSK"),
    "discord": (b"M", b"N", b"O", b"https://"),
    "elevenlabs": (b"sk_",),
    "gemini": (b"AQ.",),
    "github": (b"gh", b"github_pat_"),
    "google": (b"AIza", b"GOCSPX-"),
    "groq": (b"gsk_",),
    "huggingface": (b"hf_", b"api_org_"),
    "mysql": (b"mysql", b"mariadb"),
    "notion": (b"ntn_",),
    "openai": (b"sk-",),
    "openrouter": (b"sk-or-v",),
    "postgres": (b"postgres",),
    "replicate": (b"r8_",),
    "sendgrid": (b"SG.",),
    "slack": (b"xox", b"xapp-", b"xwfp-", b"https://hooks.slack.com/"),
    "stripe": (b"sk_", b"rk_"),
    "tavily": (b"tvly-",),
    "telegram": tuple(b"%d" % digit for digit in range(10)),
    "twilio": (b"SK",),
    "xai": (b"xai-",),
}
"""How each provider's distinct keys begin: the others need not be loaded to recognise one."""

_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS = frozenset("0123456789")


def get(name: str) -> Provider:
    """Find the provider called `name`; ConfigError when there is none."""
    provider: Provider = PROVIDERS.get(name)()
    return provider


def names() -> tuple[str, ...]:
    """Every provider's name, those of other installed packages included."""
    return PROVIDERS.names()


def recognise(value: bytes) -> Provider | None:
    """Say whose key this is, when its form alone proves it."""
    likely = [name for name in PROVIDERS.ours if value.startswith(_BEGIN.get(name, ()))]
    return next((one for one in (*map(get, likely), *_others()) if one.recognises(value)), None)


def for_variable(variable: str) -> Provider | None:
    """Say whose key the environment variable of this name usually holds."""
    return next((one for one in _all() if variable in one.variables), None)


def variable_for(secret: str, provider: str = "") -> str:
    """Choose the environment variable for a secret; always `[A-Z_][A-Z0-9_]*`.

    It is the usual one when the last part of the secret's name spells it (`prod/openai-api-key`)
    or is the provider's own name (`prod/openai`); else it is the whole name, upper-cased, with _
    for what a variable cannot hold. `provider` may be anything: labels outlive what they name.
    """
    last = secret.rpartition("/")[2]
    spelt = _as_variable(last)
    if provider:
        try:
            usual = get(provider)
        except ConfigError:
            pass
        else:
            if spelt in usual.variables:
                return spelt
            if usual.variable and last.lower() == usual.name:
                return usual.variable
    return _as_variable(secret)


def _as_variable(name: str) -> str:
    kept = "".join(c if c in _LETTERS or c in _DIGITS else "_" for c in name.upper())
    return "_" + kept if not kept or kept[0] in _DIGITS else kept


def _all() -> Iterator[Provider]:
    yield from map(get, PROVIDERS.ours)
    yield from _others()


def _others() -> Iterator[Provider]:
    """Go through those that other packages bring."""
    for name in PROVIDERS.names()[len(PROVIDERS.ours) :]:
        try:
            yield get(name)
        except ConfigError:
            continue  # a broken package of somebody else's must not stop a look at a value
