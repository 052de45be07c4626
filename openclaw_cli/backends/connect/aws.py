"""How one signs in to AWS and sends to it: settings, Amazon's own variables and files, roles.

Shared by both backends and the key slot. botocore, on which boto3 stands, finds the credentials,
signs and reads; what it would send goes through `timed.py`. It is imported at the first call.
"""

from __future__ import annotations

import functools
import ipaddress
import json
import os
import random
import re
import shlex
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from openclaw_cli.backends.protocols import (
    Health,
    Setting,
    Settings,
    UncertainError,
    checked_settings,
)
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.model import MAX_VALUE, Secret, SecretValue, Version
from openclaw_cli.registry import missing_library
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.timed import Deadline, Pools

SETTINGS = (
    Setting("region", "", "The region; nothing: AWS_REGION, AWS_DEFAULT_REGION, the profile's."),
    Setting("profile", "", "The profile of ~/.aws; nothing: the variables, then AWS_PROFILE."),
    Setting("role-arn", "", "A role to take on."),
    Setting("external-id", "", "What the role's owner asks for, to take it on."),
    Setting("role-session-name", "openclaw-cli", "What CloudTrail calls us in that role."),
    Setting("endpoint", "", "Where the service is; nothing: AWS_ENDPOINT_URL, else Amazon's own."),
    Setting("plain-http", False, "Send unencrypted to an endpoint that is not this machine."),
    Setting("ca-cert", "", "A file of certificates to trust; nothing: AWS_CA_BUNDLE."),
    Setting("proxy", "", "An HTTP proxy. HTTPS_PROXY is not looked at."),
    Setting("instance-role", False, "Ask the metadata service, also where this is not EC2."),
    Setting("timeout", 10.0, "Seconds that a whole operation may take."),
    Setting("retries", 2, "How often what can be repeated is tried again."),
    Setting("threads", 8, "How many requests a batch makes at once."),
)

MAX_ANSWER = 4 * 1024 * 1024  # bytes: a batch of 20 values of 64 KiB, as JSON writes them
_LIBRARIES = ("boto3", "botocore", "s3transfer", "urllib3")
_MULTIPLE_CHOICES, _BAD_REQUEST, _SERVER_ERROR = 300, 400, 500
_LINK_LOCAL = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
_METADATA = ipaddress.ip_address("fd00:ec2::254")
_CODE = re.compile(r"[A-Za-z][A-Za-z.]{0,63}")
_REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

_NOT_FOUND = frozenset(
    (
        "NotFoundException",
        "ParameterNotFound",
        "ParameterVersionNotFound",
        "ResourceNotFoundException",
    )
)
_DENIED = frozenset(
    (
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "NotAuthorized",
        "OptInRequired",
        "UnauthorizedOperation",
    )
)
_EXPIRED = frozenset(("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"))
_UNKNOWN_KEY = frozenset(
    (
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    )
)
_WRONG_TIME = frozenset(("RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"))
_SLOWER = frozenset(  # nothing was done, so anything can be sent again
    (
        "LimitExceeded",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TooManyUpdates",
    )
)
_AWAY = frozenset(
    (
        "DependencyTimeoutException",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "InternalServiceErrorException",
        "KMSInternalException",
        "KeyUnavailableException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    )
)

# Botocore's exceptions by name, and what they mean; no hint: how to sign in.
_MEANINGS: tuple[tuple[tuple[str, ...], type[OpenclawError], str, str], ...] = (
    (
        ("ProfileNotFound",),
        ConfigError,
        "the AWS profile does not exist",
        "aws configure list-profiles",
    ),
    (("NoCredentialsError",), DeniedError, "no AWS credentials were found", ""),
    (
        ("SSOError", "TokenRetrievalError", "UnauthorizedSSOTokenError", "LoginError"),
        DeniedError,
        "the AWS sign-in has ended",
        "",
    ),
    (
        ("CredentialRetrievalError",),
        DeniedError,
        "what the AWS profile names gave no credentials",
        "",
    ),
    (
        ("MetadataRetrievalError", "HTTPClientError"),
        TemporaryError,
        "what gives the AWS credentials cannot be reached",
        "aws sts get-caller-identity",
    ),
    (
        (
            "ConfigNotFound",
            "ConfigParseError",
            "EndpointProviderError",
            "InfiniteLoopConfigError",
            "InvalidConfigError",
            "InvalidRegionError",
            "NoRegionError",
            "PartialCredentialsError",
        ),
        ConfigError,
        "the AWS configuration cannot be used",
        "aws configure list",
    ),
)

T = TypeVar("T")
Found = dict[str, Secret | OpenclawError]


class Rejected(Exception):  # noqa: N818 - not an error of ours: who asked knows what it means
    """AWS answered with an error: its code, which is "" when it is not one of Amazon's."""

    def __init__(self, action: str, code: str, status: int, retry_after: float) -> None:
        super().__init__(action, code, status)
        self.action = action
        self.code = code
        self.status = status
        self.retry_after = retry_after

    @property
    def slower(self) -> bool:
        """Whether we are to come back later, and nothing was done."""
        return self.code in _SLOWER or self.status == 429  # noqa: PLR2004

    @property
    def away(self) -> bool:
        """Whether the service itself is in trouble."""
        return self.code in _AWAY or self.status >= _SERVER_ERROR

    @property
    def denied(self) -> bool:
        """Whether a policy forbids it."""
        return self.code in _DENIED or (not self.code and self.status in {401, 403})


class Connection:
    """AWS in one region, as one identity. It may be used by several threads."""

    def __init__(
        self,
        settings: Settings,
        *,
        more: tuple[Setting, ...] = (),
        kind: str,
        title: str,
        key: tuple[str, str] | None = None,
        written: str = "",
    ) -> None:
        """Read the settings; raises `ConfigError`. Nothing is sent or imported.

        `more` are settings of the caller's own, found in `settings` afterwards; `kind` is the name
        in settings and `title` the one in messages. `key`, an access key, is used in place of what
        Amazon's variables and files give. `written` is how a setting is written, if not in a file.
        """
        self.settings = checked_settings(settings, (*SETTINGS, *more), kind)
        self._key = key
        self._written = written or f"{{}} = {{}} under [backends.{kind}]"
        self.kind = kind
        self.title = title
        self._lock = threading.Lock()
        self._session: Any = None
        self._credentials: Any = None
        self._clients: dict[str, Any] = {}
        self._pools: Pools | None = None
        # What botocore calls our sending with has no room for the deadline.
        self._current = threading.local()
        for name in ("timeout", "threads"):
            if float(self.settings[name]) <= 0:
                raise ConfigError(f"the setting {name} of the {kind} backend is more than 0")

    def deadline(self) -> Deadline:
        """Start the time of an operation; `ConfigError` when the library is not there."""
        try:
            import botocore.session  # noqa: F401 - loading it is no part of the operation

            from openclaw_cli.backends.connect.timed import Deadline
        except ModuleNotFoundError:
            raise missing_library("backend", self.kind, "boto3") from None
        return Deadline(float(self.settings["timeout"]))

    @property
    def region(self) -> str:
        """The region that is asked, once something was."""
        return str(next(iter(self._clients.values())).meta.region_name) if self._clients else "*"

    @property
    def signed_in_by(self) -> str:
        """Botocore's word for where the credentials came from: env, sso, assume-role, ..."""
        return str(getattr(self._credentials, "method", ""))

    def send(
        self,
        service: str,
        action: str,
        arguments: dict[str, Any],
        deadline: Deadline,
        *,
        again: bool = True,
    ) -> dict[str, Any]:
        """Return what AWS answers to an action, as `secretsmanager` and `GetSecretValue`.

        Sends again what was throttled, and with `again` whatever changes nothing the second time.
        Raises `Rejected`, and `ConfigError`, `DeniedError` or `TemporaryError` when it comes to no
        answer of AWS.
        """
        attempt = 0
        while True:
            try:
                return self._sent(service, action, arguments, deadline)
            except Rejected as rejected:
                pause = rejected.retry_after or _pause(attempt)
                if not (rejected.slower or (again and rejected.away)):
                    raise
                if attempt >= int(self.settings["retries"]) or not deadline.sleep(pause):
                    raise
            except _Away as away:
                tried = attempt >= int(self.settings["retries"])
                if not again or tried or not deadline.sleep(_pause(attempt)):
                    raise away.error from None
            attempt += 1

    def pages(
        self, service: str, action: str, key: str, arguments: dict[str, Any], deadline: Deadline
    ) -> list[dict[str, Any]]:
        """Return what all pages of an answer have under a key; raises what `send` does."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.send(service, action, arguments, deadline)
            if not isinstance(answer.get(key), list):
                raise self.odd("the list")
            found += dicts(answer[key])
            if not answer.get("NextToken"):
                return found
            arguments = {**arguments, "NextToken": answer["NextToken"]}

    def many(
        self,
        paths: Sequence[str],
        named: Callable[[str], str],
        at_once: int,
        batch: Callable[[dict[str, str], Deadline], Found],
        one: Callable[[str, Deadline], Secret],
    ) -> Found:
        """Answer for many paths: in batches, and one by one for what a batch said nothing of.

        `batch` is given the paths by their names there; an error of ours is the answer for them
        all, unless it may be that only the batch is not allowed.
        """
        found: Found = {}
        names: dict[str, str] = {}
        for path in dict.fromkeys(paths):
            try:
                names[named(path)] = path
            except UsageError as refused:
                found[path] = refused
        if not names:
            return found
        deadline = self.deadline()

        def answered(some: dict[str, str]) -> Found:
            try:
                return batch(some, deadline) if len(some) > 1 else {}
            except Rejected as rejected:
                if rejected.denied or not (rejected.slower or rejected.away):
                    return {}
                refused: OpenclawError = self.error(rejected, "a batch", "*")
            except RefusedError:  # larger than is read at once
                return {}
            except OpenclawError as away:
                refused = away
            return dict.fromkeys(some.values(), refused)

        each = list(names.items())
        batches = [dict(each[start : start + at_once]) for start in range(0, len(each), at_once)]
        with ThreadPoolExecutor(int(self.settings["threads"])) as asking:
            for answers in asking.map(answered, batches):
                found.update(answers)
            left = [path for path in names.values() if path not in found]
            ones = asking.map(lambda path: _or_error(lambda: one(path, deadline)), left)
            found.update(zip(left, ones, strict=True))
        return found

    def secret(self, value: object, version: Version, path: str) -> Secret:
        """Return what was read; raises `RefusedError` for what a value of ours never is."""
        if not isinstance(value, bytes | str) or not version.id:
            raise self.odd(path)
        try:
            data = value.encode() if isinstance(value, str) else value
        except UnicodeEncodeError:
            raise RefusedError(f"{path} holds half a surrogate pair") from None
        if not data or len(data) > MAX_VALUE:
            raise RefusedError(f"{path} is empty or larger than {MAX_VALUE // 1024} KiB")
        return Secret(SecretValue(data), version, self.kind)

    def secrets(self, answers: list[tuple[str, object, Version]]) -> Found:
        """Return each path's secret, or its error, of a batch's paths, values and versions."""
        return {
            path: _or_error(partial(self.secret, value, version, path))
            for path, value, version in answers
        }

    def error(self, rejected: Rejected, what: str, resource: str) -> OpenclawError:
        """Return our error for a rejection: `what` it was about, and its ARN without the account.

        The hint of a denial is the statement of a policy that would allow it.
        """
        code = rejected.code or f"status {rejected.status}"
        if rejected.code in _NOT_FOUND:
            return NotFoundError(f"{what} is not in {self.title}")
        if rejected.denied:
            allowing = "an IAM policy that would: " + statement(rejected.action, resource)
            if not rejected.code:  # so it may be the sign-in, or a proxy that refuses
                allowing = "who are we there? aws sts get-caller-identity; " + allowing
            return DeniedError(
                f"{self.title} does not allow {rejected.action} on {what}", hint=allowing
            )
        if rejected.code in _EXPIRED:
            return DeniedError("the AWS credentials have expired", hint=self._sign_in_again())
        if rejected.code in _UNKNOWN_KEY:
            return DeniedError(
                f"{self.title} does not know the credentials ({code})",
                hint=f"they were revoked, or belong elsewhere: {self._sign_in_again()}",
            )
        if rejected.code in _WRONG_TIME:
            return DeniedError(
                "AWS says that our clock is wrong, so it accepts no signature",
                hint="timedatectl set-ntp true",
            )
        if rejected.slower:
            return TemporaryError(f"{self.title} is throttling us ({code})")
        if rejected.away:
            return UncertainError(f"{self.title} is in trouble ({code})")
        return RefusedError(f"{self.title} refused {rejected.action} on {what} ({code})")

    def arn(self, rest: str) -> str:
        """Return an ARN in our region and any account: `rest` is `secretsmanager:{}:*:secret:x`."""
        from botocore.exceptions import UnknownRegionError

        try:
            partition = self._session.get_partition_for_region(self.region)
        except UnknownRegionError:
            partition = "aws"
        return f"arn:{partition}:" + rest.format(self.region)

    def odd(self, what: str) -> TemporaryError:
        """Return the error for an answer that is not one of AWS: a page that asks to sign in."""
        return UncertainError(
            f"what answers for {what} does not answer as {self.title} does",
            hint="is there a proxy or a sign-in page between? aws sts get-caller-identity",
        )

    def check(self, probes: list[tuple[str, Callable[[Deadline], object]]]) -> Health:
        """Say who we are, and which probes are refused: each with the words for what it tries."""
        deadline = self.deadline()
        problems = []
        reached = False
        for words, probe in probes:
            try:
                probe(deadline)
            except OpenclawError as refused:
                problems.append((f"{words}: {refused.message}", refused.hint))
                reached = reached or bool(self._clients and isinstance(refused, DeniedError))
            else:
                reached = True
        identity = ""
        if reached:
            try:
                identity = self._identity(deadline)
            except OpenclawError as refused:
                problems.append((f"who we are: {refused.message}", refused.hint))
        detail = f"{self.title}, {self.region}"
        if self.signed_in_by:
            detail += f", credentials by {self.signed_in_by}"
        return Health(reached, identity, safe(detail), tuple(dict.fromkeys(problems)))

    def _identity(self, deadline: Deadline) -> str:
        try:
            answer = self.send("sts", "GetCallerIdentity", {}, deadline)
        except Rejected as rejected:
            raise self.error(rejected, "who we are", "*") from None
        return safe(str(answer.get("Arn", "")))

    def _sent(
        self, service: str, action: str, arguments: dict[str, Any], deadline: Deadline
    ) -> dict[str, Any]:
        from botocore import xform_name
        from botocore.exceptions import ClientError

        self._current.deadline = deadline
        try:
            client = self._client(service, deadline)
            self._sign_in(deadline)
            answer = getattr(client, xform_name(action))(**arguments)
        except (OpenclawError, _Away):
            raise
        except ClientError as refused:
            raise _rejected(service, refused) from None
        except Exception as failure:  # noqa: BLE001 - its text may hold a value: by its type alone
            raise self._trouble(failure) from None
        if not isinstance(answer, dict):
            raise self.odd(action)
        return answer

    def _client(self, service: str, deadline: Deadline) -> Any:  # noqa: ANN401
        """Return the service's client; making one is not for several threads at once."""
        with self._lock:
            if service not in self._clients:
                if self._session is None:
                    self._session = self._new_session(deadline)
                self._clients[service] = self._new_client(service)
            _keep_quiet()
            return self._clients[service]

    def _new_session(self, deadline: Deadline) -> Any:  # noqa: ANN401
        from botocore.config import Config
        from botocore.session import Session

        _keep_quiet()
        profile = str(self.settings["profile"]) or None
        session = Session(profile=profile) if profile else Session()
        session.set_default_client_config(
            # The text of a failed validation holds the value; tries are ours to count.
            Config(
                parameter_validation=False, retries={"mode": "standard", "total_max_attempts": 1}
            )
        )
        session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
        session.register("before-send", self._send)
        session.set_config_variable("region", self._region(session))
        resolver = session.get_component("credential_provider")
        if not (self.settings["instance-role"] or _is_ec2()):
            resolver.remove("iam-role")
        # Else a code would be asked for on the terminal, or read from what is piped to us.
        resolver.get_provider("assume-role")._prompter = _no_code  # noqa: SLF001
        # A profile can name a program that finds them, which may never end.
        found = self._given() or _within(deadline, self._current, resolver.load_credentials)
        if found is None:
            raise DeniedError("no AWS credentials were found", hint=self._sign_in_again())
        self._credentials = self._in_role(session, found) if self.settings["role-arn"] else found
        session.register_component("credential_provider", _Found(self._credentials))
        return session

    def _given(self) -> Any:  # noqa: ANN401
        from botocore.credentials import Credentials

        return Credentials(*self._key, method="a secret") if self._key else None

    def _setting(self, name: str, value: str) -> str:
        return self._written.format(name, value)

    def _region(self, session: Any) -> str:  # noqa: ANN401
        region = (
            self.settings["region"]
            or os.environ.get("AWS_REGION", "")
            or session.get_config_variable("region")
        )
        if not region:
            raise ConfigError(
                "no AWS region is set",
                hint=self._setting("region", '"REGION"'),
            )
        if not _REGION.fullmatch(str(region)):  # it becomes a part of a host's name
            raise ConfigError(f"not an AWS region: {safe(str(region))}")
        return str(region)

    def _in_role(self, session: Any, source: Any) -> Any:  # noqa: ANN401
        from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

        asked = {"RoleSessionName": self.settings["role-session-name"]}
        if self.settings["external-id"]:
            asked["ExternalId"] = self.settings["external-id"]
        fetcher = AssumeRoleCredentialFetcher(
            session.create_client, source, self.settings["role-arn"], extra_args=asked
        )
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")

    def _new_client(self, service: str) -> Any:  # noqa: ANN401
        endpoint = str(self.settings["endpoint"]) or None
        if service == "sts":  # the setting is of the backend's own service
            endpoint = None
        return self._session.create_client(service, endpoint_url=endpoint)

    def _check_endpoint(self, url: str) -> None:
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
                hint=self._setting("plain-http", "true") + ", if it must be"
                if self._key is None
                else "use https://",
            )

    def _sign_in(self, deadline: Deadline) -> None:
        """Have credentials that end renewed while somebody watches the time."""
        stale = getattr(self._credentials, "refresh_needed", None)
        if stale is None or not stale():
            return
        try:
            _within(deadline, self._current, self._credentials.get_frozen_credentials)
        except Exception as failure:  # noqa: BLE001
            raise self._not_signed_in(failure) from None

    def _not_signed_in(self, failure: Exception) -> Exception:
        from botocore.exceptions import ClientError

        if not isinstance(failure, ClientError):
            return self._trouble(failure)
        rejected = _rejected("sts", failure)
        role = safe(str(self.settings["role-arn"])) or "the role of the profile"
        return self.error(rejected, role, role)

    def _send(self, request: Any, **_event: Any) -> Any:  # noqa: ANN401 - as botocore calls it
        """Send in place of botocore; the answer is whole and in bounds."""
        from botocore.awsrequest import AWSResponse

        from openclaw_cli.backends.connect import timed

        self._check_endpoint(request.url)
        if self._pools is None:
            self._pools = self._new_pools()
        try:
            status, headers, body = self._pools.send(
                request.method, request.url, request.headers, request.body, self._current.deadline
            )
        except timed.Late as late:
            kind = UncertainError if late.sent else TemporaryError
            raise _Away(kind(f"{self.title} did not answer within the time limit")) from None
        except timed.Unreachable as lost:
            kind = UncertainError if lost.sent else TemporaryError
            raise _Away(self._unreachable(request.url, kind)) from None
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

        trusted = self.settings["ca-cert"] or self._session.get_config_variable("ca_bundle")
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
            hint = "HTTPS_PROXY is not used: " + self._setting("proxy", '"URL"')
        return kind(f"{self.title} cannot be reached at {_origin(url)}", hint=hint)

    def _sign_in_again(self) -> str:
        profile = str(self.settings["profile"]) or os.environ.get("AWS_PROFILE", "")
        chosen = f" --profile {shlex.quote(safe(profile))}" if profile else ""
        return f"aws sso login{chosen}, or give a new key: aws configure{chosen}"

    def _trouble(self, failure: Exception) -> OpenclawError:
        """Return our error for one of botocore's, by its type: its text may repeat a value."""
        from botocore import exceptions as theirs

        from openclaw_cli.backends.connect.timed import Late

        if isinstance(failure, OpenclawError):
            return failure
        if isinstance(failure, _Away):
            return failure.error
        if isinstance(failure, Late):
            return TemporaryError(f"{self.title} did not answer within the time limit")
        for names, kind, message, hint in _MEANINGS:
            # Older ones do not have them all.
            known = tuple(filter(None, (getattr(theirs, name, None) for name in names)))
            if isinstance(failure, known):
                return kind(message, hint=hint or self._sign_in_again())
        return self.odd("a request")


def statement(action: str, resource: str) -> str:
    """Return the statement of an IAM policy that allows this, as JSON on one line."""
    return json.dumps({"Effect": "Allow", "Action": action, "Resource": resource})


def dicts(found: object) -> list[dict[str, Any]]:
    """Return the objects of a list that a service answered, whatever it is."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def seconds(moment: object) -> float:
    """Return the time that botocore read as a `datetime`, or 0."""
    return moment.timestamp() if isinstance(moment, datetime) else 0


class _Away(Exception):  # noqa: N818
    """There was no answer; the error to raise if trying again is no use either."""

    def __init__(self, error: TemporaryError) -> None:
        super().__init__()
        self.error = error


class _Found:
    """What botocore's session asks for its credentials, once they were found."""

    def __init__(self, credentials: Any) -> None:  # noqa: ANN401
        self._credentials = credentials

    def load_credentials(self) -> Any:  # noqa: ANN401
        return self._credentials


class _Body:
    """A body that was read, as botocore reads one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> list[bytes]:
        return [self._body]


@functools.cache
def _loader(folders: str | None) -> Any:  # noqa: ANN401
    """Return what reads botocore's descriptions of services: 50 ms for each, so once for all."""
    from botocore.loaders import create_loader

    return create_loader(folders)


def _or_error(answer: Callable[[], Secret]) -> Secret | OpenclawError:
    try:
        return answer()
    except OpenclawError as refused:
        return refused


def _no_code(_question: str) -> str:
    raise DeniedError(
        "the AWS profile wants a code from a device, which is not asked for here",
        hint="aws configure export-credentials --format env",
    )


def _within(deadline: Deadline, current: threading.local, work: Callable[[], T]) -> T:
    """Return what `work` does on a thread, which is left behind when it takes too long."""
    from openclaw_cli.backends.connect.timed import Late

    done: list[T] = []
    failed: list[BaseException] = []

    def do() -> None:
        current.deadline = deadline
        try:
            done.append(work())
        except BaseException as failure:  # noqa: BLE001 - it is raised where it is awaited
            failed.append(failure)

    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    thread.join(deadline.left())
    if failed:
        raise failed[0]
    if not done:
        raise Late
    return done[0]


def _keep_quiet() -> None:
    """Take the libraries' loggers away: at DEBUG values, in warnings the service's own words.

    Each logger by itself: a level above them can be changed by anybody who wants to see more.
    """
    import logging

    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in _LIBRARIES:
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _rejected(service: str, refused: Any) -> Rejected:  # noqa: ANN401 - botocore's ClientError
    answer = refused.response
    code = str(answer.get("Error", {}).get("Code", ""))
    about = answer.get("ResponseMetadata", {})
    status = about.get("HTTPStatusCode", 0)
    after = str(about.get("HTTPHeaders", {}).get("retry-after", ""))
    prefix = "sts" if refused.operation_name.startswith("AssumeRole") else service
    return Rejected(
        f"{prefix}:{refused.operation_name}",
        code if _CODE.fullmatch(code) else "",
        status if isinstance(status, int) else 0,
        float(after) if after.isascii() and after.isdigit() else 0,
    )


def _pause(attempt: int) -> float:
    return 0.1 * 2.0**attempt * (1 + random.random())  # noqa: S311 - to keep retries apart


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return safe(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")


def _is_ec2() -> bool:
    """Tell whether this machine says that Amazon made it; nothing is asked over the network."""
    try:
        with open("/sys/class/dmi/id/sys_vendor", encoding="ascii", errors="replace") as file:
            return file.read(32).startswith("Amazon EC2")
    except OSError:
        return False


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
