"""How a request of botocore's is sent: in time, to where it may go, its answer in bounds."""

from __future__ import annotations

import ipaddress
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openclaw_cli.backends.protocols import UncertainError
from openclaw_cli.errors import ConfigError, RefusedError, TemporaryError
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openclaw_cli.backends.connect.timed import Pools

MAX_ANSWER = 4 * 1024 * 1024  # bytes: a batch of 20 values of 64 KiB, as JSON writes them
_MULTIPLE_CHOICES, _BAD_REQUEST = 300, 400
_LINK_LOCAL = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
_METADATA = ipaddress.ip_address("fd00:ec2::254")


class Away(Exception):  # noqa: N818
    """There was no answer; the error to raise if trying again is no use either."""

    def __init__(self, error: TemporaryError) -> None:
        super().__init__()
        self.error = error


class Sender:
    """Sends in place of botocore. It may be used by several threads.

    `current.deadline` is that of the request that a thread makes: what botocore calls with has no
    room for it. `session` is botocore's, once there is one.
    """

    def __init__(
        self,
        settings: Mapping[str, str | float | bool],
        title: str,
        *,
        written: Callable[[str, str], str],
        own_key: bool,
    ) -> None:
        """`written` says how a setting is written; with `own_key` there is no file to write in."""
        self.settings = settings
        self.title = title
        self.session: Any = None
        self.current = threading.local()
        self._written = written
        self._own_key = own_key
        self._pools: Pools | None = None

    def send(self, request: Any, **_event: Any) -> Any:  # noqa: ANN401 - as botocore calls it
        """Send in place of botocore; the answer is whole and in bounds."""
        from botocore.awsrequest import AWSResponse

        from openclaw_cli.backends.connect import timed

        self._check(request.url)
        if self._pools is None:
            self._pools = self._new_pools()
        try:
            status, headers, body = self._pools.send(
                request.method, request.url, request.headers, request.body, self.current.deadline
            )
        except timed.Late as late:
            kind = UncertainError if late.sent else TemporaryError
            raise Away(kind(f"{self.title} did not answer within the time limit")) from None
        except timed.Unreachable as lost:
            kind = UncertainError if lost.sent else TemporaryError
            raise Away(self._unreachable(request.url, kind)) from None
        except timed.Untrusted:
            raise ConfigError(
                f"the certificate of {_origin(request.url)} is not one to trust",
                hint="export AWS_CA_BUNDLE=/path/to/ca.pem",
            ) from None
        except timed.TooLarge:
            raise RefusedError(
                f"the answer of {self.title} is larger than {MAX_ANSWER // 1024} KiB"
            ) from None
        if _MULTIPLE_CHOICES <= status < _BAD_REQUEST:
            raise RefusedError(
                f"{_origin(request.url)} sends us to another address, which we do not follow"
            )
        return AWSResponse(request.url, status, headers, _Body(body))

    def _new_pools(self) -> Pools:
        from botocore.httpsession import get_cert_path

        from openclaw_cli.backends.connect.timed import Pools

        trusted = self.settings["ca-cert"] or self.session.get_config_variable("ca_bundle")
        return Pools(
            ca_certs=str(trusted or get_cert_path(True)),
            proxy=str(self.settings["proxy"]),
            threads=int(self.settings["threads"]),
            largest=MAX_ANSWER,
        )

    def _unreachable(self, url: str, kind: type[TemporaryError]) -> TemporaryError:
        hint = f"curl {_origin(url)}"
        if not self.settings["proxy"] and (
            os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
        ):
            hint = "HTTPS_PROXY is not used: " + self._written("proxy", '"URL"')
        return kind(f"{self.title} cannot be reached at {_origin(url)}", hint=hint)

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        origin = safe(f"{parts.scheme}://{host}")
        if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
            raise ConfigError("the AWS endpoint is not an address: https://HOST[:PORT]")
        if _is_metadata(host):
            raise ConfigError(f"the AWS endpoint is the machine's metadata service: {origin}")
        if parts.scheme == "http" and not (_is_loopback(host) or self.settings["plain-http"]):
            raise ConfigError(
                f"the AWS endpoint is not encrypted: {origin}",
                hint=self._written("plain-http", "true") + ", if it must be"
                if not self._own_key
                else "use https://",
            )


class _Body:
    """A body that was read, as botocore reads one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> list[bytes]:
        return [self._body]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return safe(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")


def _is_metadata(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address == _METADATA or any(address in network for network in _LINK_LOCAL)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
