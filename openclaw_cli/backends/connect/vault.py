"""Where Vault is and how one signs in to it: settings, Vault's own variables, login, renewal.

Shared by the backend and the key slot. A credential of the settings goes only to an address of
the settings, so that neither a variable nor a copied table can send it elsewhere.
"""

from __future__ import annotations

import ipaddress
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openclaw_cli.backends.protocols import (
    Setting,
    Settings,
    UncertainError,
    checked_path,
    checked_settings,
)
from openclaw_cli.duration import parse as parse_duration
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    OpenclawError,
    RefusedError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.files import read_all
from openclaw_cli.registry import missing_library
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    import ssl

    from openclaw_cli.backends.connect.timed import Deadline
    from openclaw_cli.backends.connect.vault_http import Adapter, Transport

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
METHODS = ("token", "approle", "userpass", "kubernetes", "jwt")
POD_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - a path
_METADATA = ipaddress.ip_address("fd00:ec2::254")
_LIMIT = 64 * 1024  # bytes of a credential's file
_LIFE = 60.0  # seconds: a process that lives shorter does not ask how long its token lives
_FRESH = 5.0  # seconds: a token from a login so recent has not ended
_PORTS = {"https": 443, "http": 80}
_TRUE = frozenset(("1", "t", "T", "true", "True", "TRUE"))  # as Go reads them
_DENIED = (400, 401, 403, 404)
_NOT_INITIALISED, _UNAVAILABLE, _THROTTLED, _REPLICATING = 501, 503, 429, 412
_SERVER = 470  # from here on it is the server's state: 472 and 473 are standbys


@dataclass(slots=True)
class _Token:
    """What we are signed in with; `since` and `look` are times of `time.monotonic`."""

    text: str
    origin: str
    ours: bool = False  # a login of ours got it, and another can replace it
    renewable: bool = False
    since: float = 0.0
    look: float = 0.0  # when to look after it: to renew it, or to log in again


class Connection:
    """One Vault, as one identity. `adapter()` starts an operation; threads may share one."""

    def __init__(self, settings: Settings, *, more: tuple[Setting, ...] = (), name: str) -> None:
        """Read the settings; raises `ConfigError`. Nothing is sent, nothing imported.

        `more` are the caller's own, to be found in `settings` afterwards; `name` is what messages
        call it.
        """
        self.settings = checked_settings(settings, (*SETTINGS, *more), name)
        self._name = name
        self._transport: Transport | None = None
        self._token: _Token | None = None
        self._lock = threading.Lock()
        self._method = self.text("auth")
        if self._method not in METHODS:
            raise ConfigError(
                f"vault has no way to sign in called {safe(self._method)}",
                hint=f"known: {', '.join(METHODS)}",
            )

    def text(self, name: str, variable: str = "") -> str:
        """Return a setting that is a text, else the variable."""
        return str(self.settings[name]) or os.environ.get(variable, "")

    @property
    def origin(self) -> str:
        """Scheme, host and port of Vault, and its path behind a proxy; raises `ConfigError`."""
        address = self.text("address")
        if address:
            return _origin(address, "the setting address")
        for variable in ("VAULT_AGENT_ADDR", "VAULT_ADDR"):
            if os.environ.get(variable):
                return _origin(os.environ[variable], variable)
        raise ConfigError(
            "nothing says where vault is", hint="export VAULT_ADDR=https://vault.example.com:8200"
        )

    @property
    def signed_in_with(self) -> str:
        """What the token is and where it came from, in words."""
        return self._token.origin if self._token else f"the {self._method} login"

    def notices(self) -> tuple[tuple[str, str], ...]:
        """Return what is unsafe about the way there, each with its mend. Asks nobody."""
        found = []
        if self.origin.startswith("https:") and self._trusts_anybody():
            found.append(
                (
                    "vault's certificate is not checked: whoever is between can read the secrets",
                    "unset VAULT_SKIP_VERIFY; export VAULT_CACERT=/path/to/ca.pem",
                )
            )
        if self.origin.startswith("http:") and not _is_loopback(self.origin):
            found.append(
                (
                    f"{self.origin} is not encrypted: whoever is between can read the secrets",
                    "export VAULT_ADDR=https://...",
                )
            )
        path = self._token_file() if self._method == "token" else ""
        if path and _others_may_read(path):
            found.append((f"others can read the token in {path}", f"chmod 600 {path}"))
        return tuple(found)

    def adapter(self) -> Adapter:
        """Start an operation: what hvac sends through, signed in, with its time limit.

        Raises `ConfigError`, and when the sign-in fails `DeniedError` or `TemporaryError`.
        """
        adapter = self.unsigned()
        with self._lock:
            if self._token is None:
                self._token = self._signed_in(adapter)
            elif time.monotonic() >= self._token.look:
                self._token = self._looked_after(adapter, self._token)
            adapter.token = self._token.text
        adapter.renewed = self._renewed
        return adapter

    def unsigned(self, deadline: Deadline | None = None) -> Adapter:
        """As `adapter`, without a token: for a login, and to ask how Vault is."""
        try:
            from openclaw_cli.backends.connect import timed, vault_http
        except ModuleNotFoundError as missing:
            library = (missing.name or "").partition(".")[0]
            if library == "openclaw_cli":
                raise
            raise missing_library("backend", self._name, library) from None
        if self._transport is None:
            self._transport = self._new_transport()
        namespace = self.text("namespace", "VAULT_NAMESPACE").strip("/")
        return vault_http.Adapter(
            self._transport,
            deadline=deadline or timed.Deadline(self._timeout()),
            namespace=in_path(namespace) if namespace else "",
            retries=self._retries(),
        )

    def _signed_in(self, adapter: Adapter) -> _Token:
        if self._method == "token":
            text, origin = self._given_token()
            return _Token(_plain(text, origin), origin, look=time.monotonic() + _LIFE)
        mount = self.text("auth-mount") or self._method
        origin = f"the {self._method} login at auth/{in_path(mount)}"
        try:
            answer = self._log_in(client(adapter), mount)
        except rejected_class() as rejected:
            if rejected.status in _DENIED:
                raise DeniedError(
                    f"vault refuses {origin}",
                    hint="is it mounted there (vault auth list), are role and credentials valid?",
                ) from None
            raise meaning(adapter, rejected, f"accept {origin}") from None
        return _token_of(answer, origin)

    def _log_in(self, vault: Any, mount: str) -> Any:  # noqa: ANN401 - hvac has no types
        """Return what the login answered; the credential is read now, for it may have changed."""
        if self._method == "approle":
            return vault.auth.approle.login(
                role_id=self._needed("role-id", "VAULT_ROLE_ID"),
                secret_id=self._credential("secret-id", "secret-id-file", "VAULT_SECRET_ID"),
                use_token=False,
                mount_point=mount,
            )
        if self._method == "userpass":
            return vault.auth.userpass.login(
                username=in_path(self._needed("username")),
                password=self._credential("password", "password-file", "VAULT_PASSWORD"),
                use_token=False,
                mount_point=mount,
            )
        path = self.text("jwt-file")
        if not path and self._method == "kubernetes":
            path = POD_TOKEN
        if not path:
            raise ConfigError("the jwt login needs the setting jwt-file")
        if self.text("jwt-file"):
            self._bind("jwt-file")
        jwt = _read(path, "the JWT")
        if self._method == "kubernetes":
            return vault.auth.kubernetes.login(
                role=self._needed("role"), jwt=jwt, use_token=False, mount_point=mount
            )
        return vault.auth.jwt.jwt_login(
            role=self._needed("role"), jwt=jwt, use_token=False, path=mount
        )

    def _looked_after(self, adapter: Adapter, token: _Token) -> _Token:
        """Return the token renewed, or another; the same when it cannot be told."""
        if token.ours and not token.renewable:
            return self._signed_in(adapter)
        adapter.token = token.text
        try:
            if token.ours:
                answer = client(adapter).auth.token.renew_self()
                return _token_of(answer, token.origin)
            token.look = time.monotonic() + self._given_lives(adapter)
        except rejected_class():
            adapter.token = ""
            return self._signed_in(adapter)
        return token

    def _given_lives(self, adapter: Adapter) -> float:
        """Renew a token that was given when half of its life is over; return when to look."""
        known = adapter.lookup()
        left, whole = known.get("ttl"), known.get("creation_ttl")
        if not isinstance(left, int) or not isinstance(whole, int) or not left:
            return float("inf")
        if known.get("renewable") is True and left <= whole / 2:
            client(adapter).auth.token.renew_self()
            left = whole
        return max(left / 3, 1)

    def _renewed(self, adapter: Adapter) -> str:
        """Return another token after a refusal, when ours has ended; nothing for a policy's."""
        with self._lock:
            known = self._token
            if known is None or not known.ours:
                return ""
            if known.text != adapter.token:
                return known.text  # another thread was quicker
            if time.monotonic() - known.since < _FRESH or adapter.lookup():
                return ""
            self._token = self._signed_in(self.unsigned(adapter.deadline))
            return self._token.text

    def _given_token(self) -> tuple[str, str]:
        if self.text("token"):
            self._bind("token")
            return self.text("token"), "the setting token"
        path = self._token_file()
        if self.text("token-file"):
            self._bind("token-file")
        elif os.environ.get("VAULT_TOKEN"):
            self._bind_variables()
            return os.environ["VAULT_TOKEN"], "VAULT_TOKEN"
        elif not os.path.exists(path):
            raise DeniedError("nobody is signed in to vault", hint="vault login")
        else:
            self._bind_variables()
        return _read(path, "the token"), path

    def _token_file(self) -> str:
        if self.text("token-file") or os.environ.get("VAULT_TOKEN") or self.text("token"):
            return self.text("token-file")
        return os.path.join(os.path.expanduser("~"), ".vault-token")

    def _credential(self, name: str, file: str, variable: str) -> str:
        if self.text(name):
            self._bind(name)
            return self.text(name)
        if self.text(file):
            self._bind(file)
            return _read(self.text(file), f"the {name}")
        if os.environ.get(variable):
            self._bind_variables()
            return os.environ[variable]
        raise ConfigError(
            f"the {self._method} login needs the {name}",
            hint=f"export {variable}=..., or the setting {file}",
        )

    def _needed(self, name: str, variable: str = "") -> str:
        found = self.text(name, variable)
        if not found:
            raise ConfigError(f"the {self._method} login needs the setting {name}")
        return found

    def _bind(self, name: str) -> None:
        """Keep a credential of the settings for an address of the settings."""
        if not self.text("address"):
            raise ConfigError(
                f"the setting {name} is sent only to an address that the settings name, not to "
                "one of a variable",
                hint=f"add the setting address = {self.origin}",
            )

    def _bind_variables(self) -> None:
        """Keep the token of Vault's own client for the Vault that its variables name."""
        for variable in ("VAULT_AGENT_ADDR", "VAULT_ADDR"):
            named = os.environ.get(variable, "")
            if named:
                if _same(_origin(named, variable), self.origin):
                    return
                raise ConfigError(
                    f"the sign-in of this shell is for {variable}, {_origin(named, variable)}, "
                    f"and the settings name {self.origin}",
                    hint=f"unset {variable}, or add a token-file to the settings",
                )

    def _timeout(self) -> float:
        found = float(self.settings["timeout"])
        given = os.environ.get("VAULT_CLIENT_TIMEOUT", "")
        if not found and given:
            found = parse_duration(given, name="VAULT_CLIENT_TIMEOUT", error=ConfigError)
        if found < 0:
            raise ConfigError("the setting timeout is below 0")
        return found or DEFAULT_TIMEOUT

    def _retries(self) -> int:
        found = int(self.settings["retries"])
        return found if found >= 0 else int(_number("VAULT_MAX_RETRIES", DEFAULT_RETRIES))

    def _trusts_anybody(self) -> bool:
        given = os.environ.get("VAULT_SKIP_VERIFY", "") in _TRUE
        return bool(self.settings["skip-verify"]) or given

    def _new_transport(self) -> Transport:
        from openclaw_cli.backends.connect.vault_http import Transport

        origin = self.origin
        self._check_way(origin)
        proxy = self.text("proxy", "VAULT_PROXY_ADDR") or os.environ.get("VAULT_HTTP_PROXY", "")
        rate, _, burst = os.environ.get("VAULT_RATE_LIMIT", "").partition(":")
        return Transport(
            origin,
            tls=self._tls() if origin.startswith("https:") else None,
            server_name=self.text("tls-server-name", "VAULT_TLS_SERVER_NAME"),
            proxy=_origin(proxy, "the proxy") if proxy else "",
            threads=max(int(self.settings["threads"]), 1),
            rate=(_positive(rate, "VAULT_RATE_LIMIT"), int(_positive(burst, "VAULT_RATE_LIMIT"))),
        )

    def _check_way(self, origin: str) -> None:
        """Refuse an address that no Vault has, and one that would send a token in the clear.

        A variable that says http:// is followed, and said by `notices`: its owner said it to
        Vault's own client, too.
        """
        if _is_metadata(origin):
            raise ConfigError(f"{origin} is an address of this machine's own cloud, not of vault")
        allowed = self.settings["plain-http"] or not self.text("address")
        if origin.startswith("http:") and not _is_loopback(origin) and not allowed:
            raise ConfigError(
                f"{origin} is not encrypted, and a token would be sent there",
                hint="use https://, or add the setting plain-http = true",
            )

    def _tls(self) -> ssl.SSLContext:
        import ssl

        authority = self.text("ca-cert", "VAULT_CACERT")
        text = "" if authority else os.environ.get("VAULT_CACERT_BYTES", "")
        folder = "" if authority or text else self.text("ca-path", "VAULT_CAPATH")
        certificate = self.text("client-cert", "VAULT_CLIENT_CERT")
        key = self.text("client-key", "VAULT_CLIENT_KEY")
        if folder and not os.path.isdir(folder):
            raise ConfigError(f"{folder} is not a folder of certificates")
        try:
            context = ssl.create_default_context(
                cafile=authority or None, capath=folder or None, cadata=text or None
            )
            if certificate:
                # A text, since without one OpenSSL would ask a person for the key's password.
                context.load_cert_chain(certificate, key or None, password="")
        except (OSError, ValueError):  # ssl.SSLError is an OSError
            files = [authority or "VAULT_CACERT_BYTES", certificate, key]
            raise ConfigError(
                f"the certificates for vault cannot be used: {', '.join(filter(None, files))}",
                hint="openssl x509 -noout -subject -in FILE",
            ) from None
        system = ssl.get_default_verify_paths()
        if not (authority or text or folder or system.cafile or system.capath):
            _trust_what_comes_with_requests(context)
        if self._trusts_anybody():
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def client(adapter: Adapter) -> Any:  # noqa: ANN401 - hvac has no types
    """Return hvac's client that sends through this adapter."""
    import hvac

    return hvac.Client(url=adapter.base_uri, token="", verify=True, adapter=lambda **_: adapter)


def meaning(adapter: Adapter, rejected: Any, to_do: str) -> OpenclawError:  # noqa: ANN401
    """Return our error for a `Rejected` that is neither a refusal to us nor about a path."""
    status = rejected.status
    if status == _THROTTLED:
        return TemporaryError("vault is throttling requests", hint="try again later")
    if status == _NOT_INITIALISED:
        return TemporaryError(
            f"vault at {adapter.base_uri} is not initialised", hint="vault operator init"
        )
    if status == _UNAVAILABLE and adapter.health().get("sealed"):
        return TemporaryError(
            f"vault at {adapter.base_uri} is sealed", hint="vault operator unseal"
        )
    if status == _REPLICATING or status >= _SERVER:
        return UncertainError(
            f"vault at {adapter.base_uri} is not well (status {status})",
            hint=f"curl {adapter.base_uri}/v1/sys/health",
        )
    return RefusedError(f"vault refuses to {to_do} (status {status})")


def rejected_class() -> Any:  # noqa: ANN401 - a class, for `except`
    """Return the class `Rejected`, of the module that loads hvac."""
    from openclaw_cli.backends.connect.vault_http import Rejected

    return Rejected


def _token_of(answer: Any, origin: str) -> _Token:  # noqa: ANN401 - what a server said
    auth = answer.get("auth") if isinstance(answer, dict) else None
    auth = auth if isinstance(auth, dict) else {}
    text = auth.get("client_token")
    if not isinstance(text, str) or not text:
        raise TemporaryError(f"vault answered {origin} without a token")
    lease, now = auth.get("lease_duration"), time.monotonic()
    lives = lease * 2 / 3 if isinstance(lease, int) and lease > 0 else float("inf")
    renewable = auth.get("renewable") is True
    return _Token(_plain(text, origin), origin, True, renewable, now, now + lives)


def _plain(token: str, origin: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token or not token:
        raise ConfigError(f"{origin} does not hold a token: it is empty or has odd characters")
    return token


class NotAcceptedError(DeniedError):
    """Vault does not know the token, or not any more: it will refuse whatever is asked."""


def in_path(text: str) -> str:
    """Return what a setting puts into a path, without slashes around; raises `ConfigError`."""
    try:
        return checked_path(text.strip("/"))
    except UsageError:
        raise ConfigError(f"{safe(text)} is not a name that vault can have in a path") from None


def _read(path: str, what: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return read_all(fd, path, _LIMIT).decode("ascii").strip()
        finally:
            os.close(fd)
    except PermissionError:
        raise DeniedError(f"{what} in {path} may not be read by us", hint=f"ls -l {path}") from None
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{what} cannot be read from {path}", hint=f"ls -l {path}") from None


def _others_may_read(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & 0o077)
    except OSError:
        return False


def _origin(address: str, said_by: str) -> str:
    """Return the address without a slash at its end; raises `ConfigError` for what is none."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ConfigError(f"{said_by} is not an address") from None
    plain = address.isascii() and address.isprintable() and " " not in address
    if parts.scheme not in _PORTS or not parts.hostname or not plain:
        raise ConfigError(
            f"{said_by} is not an address of vault",
            hint="it reads https://HOST:8200",
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(f"{said_by} has more than scheme, host, port and path")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = f"/{in_path(parts.path)}" if parts.path.strip("/") else ""
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "") + path


def _same(one: str, other: str) -> bool:
    """Tell whether two addresses have scheme, host and port in common."""
    a, b = urlsplit(one), urlsplit(other)
    ports = (a.port or _PORTS[a.scheme], b.port or _PORTS[b.scheme])
    return (a.scheme, a.hostname, ports[0]) == (b.scheme, b.hostname, ports[1])


def _address_of(origin: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(urlsplit(origin).hostname or "")
    except ValueError:
        return None


def _is_loopback(origin: str) -> bool:
    address = _address_of(origin)
    return address.is_loopback if address else urlsplit(origin).hostname == "localhost"


def _is_metadata(origin: str) -> bool:
    """Tell whether it is where clouds answer a machine about itself: link-local, or AWS's own."""
    address = _address_of(origin)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address is not None and (address.is_link_local or address == _METADATA)


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


def _trust_what_comes_with_requests(context: ssl.SSLContext) -> None:
    """Take the authorities that requests brings, where the system has none (macOS)."""
    import certifi

    context.load_verify_locations(certifi.where())
