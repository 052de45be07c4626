"""What is given to reach Vault: our settings, and the variables of Vault's own client."""

from __future__ import annotations

import os

from openclaw_cli.backends.connect.vault_address import origin_of
from openclaw_cli.backends.protocols import Setting, Settings, checked_settings
from openclaw_cli.duration import parse as parse_duration
from openclaw_cli.errors import ConfigError

SETTINGS = (
    Setting("address", "", "Where Vault is; nothing: VAULT_AGENT_ADDR, else VAULT_ADDR."),
    Setting("namespace", "", "The namespace; nothing: VAULT_NAMESPACE."),
    Setting(
        "timeout",
        0.0,
        "Seconds that a whole operation may take; 0: VAULT_CLIENT_TIMEOUT, else 10.",
    ),
    Setting("retries", -1, "How often a read is tried again; -1: VAULT_MAX_RETRIES, else 2."),
    Setting("auth", "token", "How to sign in: token, approle, userpass, kubernetes or jwt."),
    Setting("auth-mount", "", "Where that way is mounted; nothing: under its own name."),
    Setting("token", "", "The token; better is VAULT_TOKEN or a file.", secret=True),
    Setting("token-file", "", "A file with the token; nothing: VAULT_TOKEN, else ~/.vault-token."),
    Setting("role", "", "The role to sign in as, for kubernetes and jwt."),
    Setting("role-id", "", "The AppRole's role id; nothing: VAULT_ROLE_ID."),
    Setting("secret-id", "", "Its secret id; better is VAULT_SECRET_ID or a file.", secret=True),
    Setting("secret-id-file", "", "A file with the secret id."),
    Setting("username", "", "Who signs in, for userpass."),
    Setting("password", "", "The password; better is VAULT_PASSWORD or a file.", secret=True),
    Setting("password-file", "", "A file with the password."),
    Setting("jwt-file", "", "A file with the JWT; nothing: the pod's, for kubernetes."),
    Setting("ca-cert", "", "A file of certificates to trust; nothing: VAULT_CACERT."),
    Setting("ca-path", "", "A folder of certificates to trust; nothing: VAULT_CAPATH."),
    Setting("client-cert", "", "Our own certificate; nothing: VAULT_CLIENT_CERT."),
    Setting("client-key", "", "Its key; nothing: VAULT_CLIENT_KEY."),
    Setting("tls-server-name", "", "The name to expect there; nothing: VAULT_TLS_SERVER_NAME."),
    Setting("skip-verify", False, "Trust any certificate: for trials only; VAULT_SKIP_VERIFY."),
    Setting("plain-http", False, "Send tokens unencrypted to an address that is not this machine."),
    Setting("proxy", "", "An HTTP proxy; nothing: VAULT_PROXY_ADDR, never HTTPS_PROXY."),
    Setting("threads", 8, "How many requests a batch makes at once."),
)

DEFAULT_TIMEOUT = 10.0  # seconds
DEFAULT_RETRIES = 2  # as Vault's own client
_TRUE = frozenset(("1", "t", "T", "true", "True", "TRUE"))  # as Go reads them


class Given:
    """The settings, each with the variable that stands in for it. Nothing is sent or read."""

    def __init__(self, settings: Settings, more: tuple[Setting, ...], name: str) -> None:
        """Read them; raises `ConfigError`. `more` are settings of the caller's own."""
        self.settings = checked_settings(settings, (*SETTINGS, *more), name)

    def text(self, name: str, variable: str = "") -> str:
        """Return a setting that is a text, else the variable."""
        return str(self.settings[name]) or os.environ.get(variable, "")

    def needed(self, name: str, variable: str = "") -> str:
        """Return a setting that the way of signing in cannot do without."""
        found = self.text(name, variable)
        if not found:
            raise ConfigError(f"the {self.text('auth')} login needs the setting {name}")
        return found

    @property
    def origin(self) -> str:
        """Scheme, host and port of Vault, and its path behind a proxy; raises `ConfigError`."""
        address = self.text("address")
        if address:
            return origin_of(address, "the setting address")
        for variable in ("VAULT_AGENT_ADDR", "VAULT_ADDR"):
            if os.environ.get(variable):
                return origin_of(os.environ[variable], variable)
        raise ConfigError(
            "nothing says where vault is", hint="export VAULT_ADDR=https://vault.example.com:8200"
        )

    def timeout(self) -> float:
        """Return the seconds that a whole operation may take."""
        found = float(self.settings["timeout"])
        given = os.environ.get("VAULT_CLIENT_TIMEOUT", "")
        if not found and given:
            found = parse_duration(given, name="VAULT_CLIENT_TIMEOUT", error=ConfigError)
        if found < 0:
            raise ConfigError("the setting timeout is below 0")
        return found or DEFAULT_TIMEOUT

    def retries(self) -> int:
        """Return how often a read is tried again."""
        found = int(self.settings["retries"])
        return found if found >= 0 else int(_number("VAULT_MAX_RETRIES", DEFAULT_RETRIES))

    def trusts_anybody(self) -> bool:
        """Tell whether any certificate will do."""
        given = os.environ.get("VAULT_SKIP_VERIFY", "") in _TRUE
        return bool(self.settings["skip-verify"]) or given

    def rate(self) -> tuple[float, int]:
        """Return how many requests a second there may be, and how many at once before that."""
        rate, _, burst = os.environ.get("VAULT_RATE_LIMIT", "").partition(":")
        return (_positive(rate, "VAULT_RATE_LIMIT"), int(_positive(burst, "VAULT_RATE_LIMIT")))


def _number(variable: str, default: float) -> float:
    text = os.environ.get(variable, "")
    return _positive(text, variable) if text else default


def _positive(text: str, said_by: str) -> float:
    try:
        found = float(text or 0)
    except ValueError:
        found = -1
    if not 0 <= found < float("inf"):
        raise ConfigError(f"{said_by} is not a number from 0 on")
    return found
