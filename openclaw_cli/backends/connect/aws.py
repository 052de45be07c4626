"""AWS as one identity in one region: an action is sent, its answer or its refusal is returned.

Shared by both backends, the key slot and the rotators. botocore, on which boto3 stands, finds the
credentials (`aws_sign_in.py`), signs and reads; what it would send goes through `aws_http.py`. It
is imported at the first call.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from openclaw_cli.backends.connect import aws_codes as codes
from openclaw_cli.backends.connect import aws_sign_in as sign_in
from openclaw_cli.backends.connect.aws_codes import Rejected
from openclaw_cli.backends.connect.aws_http import Away, Sender
from openclaw_cli.backends.protocols import (
    Health,
    Setting,
    Settings,
    ThrottledError,
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
    from openclaw_cli.backends.connect.timed import Deadline

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

T = TypeVar("T")
Found = dict[str, Secret | OpenclawError]


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
        self.again = True  # whether what failed is tried again, as the settings say
        self._sender = Sender(self.settings, title, written=self._setting, own_key=key is not None)
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
        attempt, retries = 0, int(self.settings["retries"]) if self.again else 0
        while True:
            try:
                return self._sent(service, action, arguments, deadline)
            except Rejected as rejected:
                pause = rejected.retry_after or _pause(attempt)
                if not (rejected.slower or (again and rejected.away)):
                    raise
                if attempt >= retries or not deadline.sleep(pause):
                    raise
            except Away as away:
                if not again or attempt >= retries or not deadline.sleep(_pause(attempt)):
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
        if rejected.code in codes.NOT_FOUND:
            return NotFoundError(f"{what} is not in {self.title}")
        if rejected.denied:
            allowing = "an IAM policy that would: " + statement(rejected.action, resource)
            if not rejected.code:  # so it may be the sign-in, or a proxy that refuses
                allowing = "who are we there? aws sts get-caller-identity; " + allowing
            return DeniedError(
                f"{self.title} does not allow {rejected.action} on {what}", hint=allowing
            )
        if rejected.code in codes.EXPIRED:
            return DeniedError(
                "the AWS credentials have expired", hint=sign_in.again(self.settings)
            )
        if rejected.code in codes.UNKNOWN_KEY:
            return DeniedError(
                f"{self.title} does not know the credentials ({code})",
                hint=f"they were revoked, or belong elsewhere: {sign_in.again(self.settings)}",
            )
        if rejected.code in codes.WRONG_TIME:
            return DeniedError(
                "AWS says that our clock is wrong, so it accepts no signature",
                hint="timedatectl set-ntp true",
            )
        if rejected.slower:
            what = f"{self.title} is throttling us ({code})"
            return ThrottledError(what, hint="try again later", retry_after=rejected.retry_after)
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

        self._sender.current.deadline = deadline
        try:
            client = self._client(service, deadline)
            self._sign_in(deadline)
            answer = getattr(client, xform_name(action))(**arguments)
        except (OpenclawError, Away):
            raise
        except ClientError as refused:
            raise codes.refusal(service, refused) from None
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
                    self._session, self._credentials = sign_in.session(
                        self.settings, self._key, self._sender, self._setting, deadline
                    )
                self._clients[service] = self._new_client(service)
            sign_in.keep_quiet()
            return self._clients[service]

    def _setting(self, name: str, value: str) -> str:
        return self._written.format(name, value)

    def _new_client(self, service: str) -> Any:  # noqa: ANN401
        endpoint = str(self.settings["endpoint"]) or None
        if service == "sts":  # the setting is of the backend's own service
            endpoint = None
        return self._session.create_client(service, endpoint_url=endpoint)

    def _sign_in(self, deadline: Deadline) -> None:
        """Have credentials that end renewed while somebody watches the time."""
        stale = getattr(self._credentials, "refresh_needed", None)
        if stale is None or not stale():
            return
        try:
            sign_in.within(deadline, self._sender, self._credentials.get_frozen_credentials)
        except Exception as failure:  # noqa: BLE001
            raise self._not_signed_in(failure) from None

    def _not_signed_in(self, failure: Exception) -> Exception:
        from botocore.exceptions import ClientError

        if not isinstance(failure, ClientError):
            return self._trouble(failure)
        rejected = codes.refusal("sts", failure)
        role = safe(str(self.settings["role-arn"])) or "the role of the profile"
        return self.error(rejected, role, role)

    def _trouble(self, failure: Exception) -> OpenclawError:
        """Return our error for one of botocore's, by its type: its text may repeat a value."""
        from botocore import exceptions as theirs

        from openclaw_cli.backends.connect.timed import Late

        if isinstance(failure, OpenclawError):
            return failure
        if isinstance(failure, Away):
            return failure.error
        if isinstance(failure, Late):
            return TemporaryError(f"{self.title} did not answer within the time limit")
        for names, kind, message, hint in codes.MEANINGS:
            # Older ones do not have them all.
            known = tuple(filter(None, (getattr(theirs, name, None) for name in names)))
            if isinstance(failure, known):
                return kind(message, hint=hint or sign_in.again(self.settings))
        return self.odd("a request")


def statement(action: str, resource: str) -> str:
    """Return the statement of an IAM policy that allows this, as JSON on one line."""
    return json.dumps({"Effect": "Allow", "Action": action, "Resource": resource})


def paths(
    listed: list[dict[str, Any]], below: str, prefix: str, name: Callable[[str], str]
) -> list[str]:
    """Return the paths of what was listed below a place and begins so, as far as `name` takes them.

    `name` gives the name of a path there, or raises `UsageError`: what others made may be called
    what nobody could ask us for.
    """
    found = []
    for each in listed:
        there = each.get("Name")
        if not isinstance(there, str) or not there.startswith(below + prefix):
            continue
        try:
            name(there[len(below) :])
        except UsageError:
            continue
        found.append(there[len(below) :])
    return sorted(found)


def dicts(found: object) -> list[dict[str, Any]]:
    """Return the objects of a list that a service answered, whatever it is."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def seconds(moment: object) -> float:
    """Return the time that botocore read as a `datetime`, or 0."""
    return moment.timestamp() if isinstance(moment, datetime) else 0


def _or_error(answer: Callable[[], Secret]) -> Secret | OpenclawError:
    try:
        return answer()
    except OpenclawError as refused:
        return refused


def _pause(attempt: int) -> float:
    return 0.1 * 2.0**attempt * (1 + random.random())  # noqa: S311 - to keep retries apart
