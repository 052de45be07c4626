"""Where Vault is and how one signs in to it.

Shared by the backend, the key slot and the rotators. What is given is in `vault_given.py`, the
sign-in in `vault_sign_in.py`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from openclaw_cli.backends.connect.vault_address import (
    in_path,
    is_loopback,
    is_metadata,
    origin_of,
)
from openclaw_cli.backends.connect.vault_given import Given
from openclaw_cli.backends.connect.vault_sign_in import SignIn
from openclaw_cli.errors import ConfigError
from openclaw_cli.registry import missing_library

if TYPE_CHECKING:
    import ssl

    from openclaw_cli.backends.connect.timed import Deadline
    from openclaw_cli.backends.connect.vault_http import Adapter, Transport
    from openclaw_cli.backends.protocols import Setting, Settings


class Connection:
    """One Vault, as one identity. `adapter()` starts an operation; threads may share one."""

    def __init__(self, settings: Settings, *, more: tuple[Setting, ...] = (), name: str) -> None:
        """Read the settings; raises `ConfigError`. Nothing is sent, nothing imported.

        `more` are the caller's own, to be found in `settings` afterwards; `name` is what messages
        call it.
        """
        self._given = Given(settings, more, name)
        self._name = name
        self._transport: Transport | None = None
        self._sign_in = SignIn(self._given, self.unsigned)
        self.again = True  # whether a read that failed is tried again, as the settings say
        self.settings = self._given.settings
        self.text = self._given.text

    @property
    def origin(self) -> str:
        """Scheme, host and port of Vault, and its path behind a proxy; raises `ConfigError`."""
        return self._given.origin

    @property
    def signed_in_with(self) -> str:
        """What the token is and where it came from, in words."""
        return self._sign_in.origin

    def notices(self) -> tuple[tuple[str, str], ...]:
        """Return what is unsafe about the way there, each with its mend. Asks nobody."""
        found = []
        if self.origin.startswith("https:") and self._given.trusts_anybody():
            found.append(
                (
                    "vault's certificate is not checked: whoever is between can read the secrets",
                    "unset VAULT_SKIP_VERIFY; export VAULT_CACERT=/path/to/ca.pem",
                )
            )
        if self.origin.startswith("http:") and not is_loopback(self.origin):
            found.append(
                (
                    f"{self.origin} is not encrypted: whoever is between can read the secrets",
                    "export VAULT_ADDR=https://...",
                )
            )
        path = self._sign_in.open_file()
        if path:
            found.append((f"others can read the token in {path}", f"chmod 600 {path}"))
        return tuple(found)

    def adapter(self) -> Adapter:
        """Start an operation: what hvac sends through, signed in, with its time limit.

        Raises `ConfigError`, and when the sign-in fails `DeniedError` or `TemporaryError`.
        """
        adapter = self.unsigned()
        self._sign_in.sign(adapter)
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
            deadline=deadline or timed.Deadline(self._given.timeout()),
            namespace=in_path(namespace) if namespace else "",
            retries=self._given.retries() if self.again else 0,
        )

    def _new_transport(self) -> Transport:
        from openclaw_cli.backends.connect.vault_http import Transport

        origin = self.origin
        self._check_way(origin)
        proxy = self.text("proxy", "VAULT_PROXY_ADDR") or os.environ.get("VAULT_HTTP_PROXY", "")
        return Transport(
            origin,
            tls=self._tls() if origin.startswith("https:") else None,
            server_name=self.text("tls-server-name", "VAULT_TLS_SERVER_NAME"),
            proxy=origin_of(proxy, "the proxy") if proxy else "",
            threads=max(int(self.settings["threads"]), 1),
            rate=self._given.rate(),
        )

    def _check_way(self, origin: str) -> None:
        """Refuse an address that no Vault has, and one that would send a token in the clear.

        A variable that says http:// is followed, and said by `notices`: its owner said it to
        Vault's own client, too.
        """
        if is_metadata(origin):
            raise ConfigError(f"{origin} is an address of this machine's own cloud, not of vault")
        allowed = self.settings["plain-http"] or not self.text("address")
        if origin.startswith("http:") and not is_loopback(origin) and not allowed:
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
        if self._given.trusts_anybody():
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _trust_what_comes_with_requests(context: ssl.SSLContext) -> None:
    """Take the authorities that requests brings, where the system has none (macOS)."""
    import certifi

    context.load_verify_locations(certifi.where())
