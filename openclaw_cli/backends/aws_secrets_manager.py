"""AWS Secrets Manager: `aws-secrets-manager://team/db?version=previous#password`.

Text is a `SecretString`, so that other tools read it, and any other value a `SecretBinary`. A
version's word is Amazon's VersionId; its stages AWSCURRENT, AWSPENDING and AWSPREVIOUS are ours.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from openclaw_cli.backends.connect import aws
from openclaw_cli.backends.connect.aws_codes import Rejected
from openclaw_cli.backends.protocols import (
    Health,
    Setting,
    Settings,
    checked_path,
    part,
)
from openclaw_cli.errors import (
    ConfigError,
    ConflictError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    UsageError,
)
from openclaw_cli.model import (
    CURRENT,
    MAX_VALUE,
    PENDING,
    PREVIOUS,
    RETIRED,
    Secret,
    SecretValue,
    Version,
)

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.timed import Deadline

KIND = "aws-secrets-manager"
AT_ONCE = 20  # secrets in one BatchGetSecretValue
_PAGE = 100
_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_VERSION = re.compile(r"[A-Za-z0-9-]{32,64}")
_STAGES = {"AWSCURRENT": CURRENT, "AWSPENDING": PENDING, "AWSPREVIOUS": PREVIOUS}
_STAGE_WORDS = {**{ours: theirs for theirs, ours in _STAGES.items()}, **{s: s for s in _STAGES}}
_ORDER = (PENDING, CURRENT, PREVIOUS, RETIRED)

_ABSENT = "ResourceNotFoundException"
_EXISTS = "ResourceExistsException"
_WRONG_STATE = "InvalidRequestException"  # of a secret that is to be deleted, for what we send


class SecretsManagerBackend:
    AT_ONCE = 8
    SETTINGS = (
        *aws.SETTINGS,
        Setting("prefix", "", "What the names there begin with, and ours do not."),
        Setting("kms-key-id", "", "The KMS key for new secrets; nothing: aws/secretsmanager."),
        Setting(
            "recovery-days", 30, "Days that a deleted secret can be restored, 7 to 30; 0: none."
        ),
    )

    def __init__(self, settings: Settings) -> None:
        self._aws = aws.Connection(
            settings,
            more=self.SETTINGS[len(aws.SETTINGS) :],
            kind=KIND,
            title="AWS Secrets Manager",
        )
        self._prefix = str(self._aws.settings["prefix"])
        self._days = int(self._aws.settings["recovery-days"])
        if self._days and not 7 <= self._days <= 30:  # noqa: PLR2004 - the service's own bounds
            raise ConfigError(f"the setting recovery-days of the {KIND} backend is 0, or 7 to 30")

    def persist(self, *, again: bool) -> None:
        """Say whether what fails is tried again at once."""
        self._aws.again = again

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
        """Return a version: a VersionId, or previous, pending, current; nothing is current."""
        name = self._name(path)
        found = self._one(path, name, version, self._aws.deadline())
        return Secret(part(found.value.reveal(), field, path), found.version, KIND)

    def get_many(self, paths: Sequence[str]) -> aws.Found:
        """Ask for 20 at once, and one by one where a policy does not allow that."""
        return self._aws.many(
            paths,
            self._name,
            AT_ONCE,
            self._batch,
            lambda path, deadline: self._one(path, self._name(path), None, deadline),
        )

    def put(self, path: str, value: SecretValue) -> Version:
        """Write a new current version, of a new secret if there is none.

        A secret that is to be deleted is restored first. Raises `RefusedError` for more than
        64 KiB, and `ConflictError` when others create and delete it meanwhile.
        """
        name, content = self._name(path), _content(value)
        # AWS ignores the same token with the same value, so nothing is written twice.
        content["ClientRequestToken"] = str(uuid.uuid4())
        deadline = self._aws.deadline()
        for _ in range(3):
            try:
                return self._written(name, content, deadline)
            except Rejected as rejected:
                if rejected.code == _WRONG_STATE:
                    self._restore(path, name, deadline)
                elif rejected.code not in {_ABSENT, _EXISTS}:
                    raise self._error(rejected, path, name) from None
        raise ConflictError(f"somebody else is creating or deleting {path} in {self._aws.title}")

    def delete(self, path: str) -> bool:
        """Delete it; until `recovery-days` are over, `put` or AWS can bring it back."""
        name = self._name(path)
        deadline = self._aws.deadline()
        how: dict[str, Any] = {"RecoveryWindowInDays": self._days}
        try:
            if not self._days:
                # Without a window AWS does not say whether there was something.
                self._send("DescribeSecret", {"SecretId": name}, deadline)
                how = {"ForceDeleteWithoutRecovery": True}
            self._send("DeleteSecret", {"SecretId": name, **how}, deadline)
        except Rejected as rejected:
            if rejected.code in {_ABSENT, _WRONG_STATE}:
                return False
            raise self._error(rejected, path, name) from None
        return True

    def names(self, prefix: str = "") -> list[str]:
        start = self._prefix + prefix
        if start and not _NAME.fullmatch(start):
            return []
        arguments: dict[str, Any] = {"MaxResults": _PAGE}
        if start:
            arguments["Filters"] = [{"Key": "name", "Values": [start]}]
        try:
            listed = self._pages("ListSecrets", "SecretList", arguments)
        except Rejected as rejected:
            raise self._aws.error(rejected, "the list", "*") from None
        return aws.paths(listed, self._prefix, prefix, self._name)

    def versions(self, path: str) -> list[Version]:
        """Return those that AWS keeps, the newest first, those without a stage too."""
        name = self._name(path)
        arguments = {"SecretId": name, "MaxResults": _PAGE, "IncludeDeprecated": True}
        try:
            listed = self._pages("ListSecretVersionIds", "Versions", arguments)
        except Rejected as rejected:
            raise self._error(rejected, path, name) from None
        found = [_version(each) for each in listed]
        if not found:
            raise NotFoundError(f"{path} is not in {self._aws.title}")
        found.reverse()  # of those made in the same second, the later answered is the newer
        return sorted(found, key=lambda each: (-each.created, _ORDER.index(each.stage)))

    def check(self) -> Health:
        """Try to list, and to read a name that need not exist; nothing is written."""
        probe = f"{self._prefix}openclaw-cli-check"

        def read(deadline: Deadline) -> None:
            try:
                self._one(probe, probe, None, deadline)
            except NotFoundError:
                return

        def list_(deadline: Deadline) -> None:
            try:
                self._send("ListSecrets", {"MaxResults": 1}, deadline)
            except Rejected as rejected:
                raise self._aws.error(rejected, "the list", "*") from None

        return self._aws.check([("reading", read), ("listing", list_)])

    def _name(self, path: str) -> str:
        """Return the name there; raises `UsageError` for what cannot be one."""
        name = self._prefix + checked_path(path)
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"not a name for {self._aws.title}: {path}",
                hint="use letters, digits and / _ + = . @ - , up to 512",
            )
        return name

    def _send(self, action: str, arguments: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        return self._aws.send("secretsmanager", action, arguments, deadline)

    def _pages(self, action: str, key: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        return self._aws.pages("secretsmanager", action, key, arguments, self._aws.deadline())

    def _error(self, rejected: Rejected, path: str, name: str) -> OpenclawError:
        if rejected.code == _WRONG_STATE and rejected.action.endswith(":GetSecretValue"):
            return NotFoundError(
                f"{path} is to be deleted from {self._aws.title}",
                hint=f"aws secretsmanager restore-secret --secret-id {name}",
            )
        return self._aws.error(rejected, path, self._arn(name))

    def _arn(self, name: str) -> str:
        # AWS adds a hyphen and six characters to each name.
        return self._aws.arn("secretsmanager:{}:*:secret:" + name + "-??????")

    def _one(self, path: str, name: str, version: str | None, deadline: Deadline) -> Secret:
        arguments = {"SecretId": name, **self._which(path, version)}
        try:
            answer = self._send("GetSecretValue", arguments, deadline)
        except Rejected as rejected:
            refused = self._error(rejected, path, name)
            if version and rejected.code == _ABSENT:
                refused = _no_version(path, version)
            raise refused from None
        return self._aws.secret(_value(answer), _version(answer), path)

    def _which(self, path: str, version: str | None) -> dict[str, str]:
        """Return the arguments for a version; AWSCURRENT is always said, not left to a default."""
        stage = _STAGE_WORDS.get(version or CURRENT)
        if stage:
            return {"VersionStage": stage}
        if not version or not _VERSION.fullmatch(version):
            raise _no_version(path, version or "")
        return {"VersionId": version}

    def _batch(self, paths: dict[str, str], deadline: Deadline) -> aws.Found:
        """Return what a batch says of each; what it refuses is asked for by itself."""
        found: aws.Found = {}
        arguments: dict[str, Any] = {"SecretIdList": list(paths)}
        while arguments:
            answer = self._send("BatchGetSecretValue", arguments, deadline)
            found |= self._aws.secrets(
                [
                    (paths[str(each["Name"])], _value(each), _version(each))
                    for each in aws.dicts(answer.get("SecretValues"))
                    if str(each.get("Name")) in paths
                ]
            )
            for each in aws.dicts(answer.get("Errors")):
                path = paths.get(str(each.get("SecretId")))
                if path and each.get("ErrorCode") == _ABSENT:
                    found[path] = NotFoundError(f"{path} is not in {self._aws.title}")
            after = answer.get("NextToken")
            arguments = {**arguments, "NextToken": after} if after else {}
        return {path: one for path, one in found.items() if _is_current(one)}

    def _written(self, name: str, content: dict[str, Any], deadline: Deadline) -> Version:
        """Write to the secret, or create it; raises `Rejected`."""
        try:
            answer = self._send("PutSecretValue", {"SecretId": name, **content}, deadline)
        except Rejected as rejected:
            if rejected.code != _ABSENT:
                raise
            arguments = {"Name": name, **content}
            if self._aws.settings["kms-key-id"]:
                arguments["KmsKeyId"] = self._aws.settings["kms-key-id"]
            answer = self._send("CreateSecret", arguments, deadline)
        version = answer.get("VersionId")
        if not isinstance(version, str) or not version:
            raise self._aws.odd(name)
        return Version(version, created=time.time())

    def _restore(self, path: str, name: str, deadline: Deadline) -> None:
        try:
            self._send("RestoreSecret", {"SecretId": name}, deadline)
        except Rejected as rejected:
            raise self._error(rejected, path, name) from None


def _content(value: SecretValue) -> dict[str, Any]:
    """Return the arguments for a value: a text where it is one, which NUL is not everywhere."""
    data = value.reveal()
    if len(data) > MAX_VALUE:
        raise RefusedError(f"the value is larger than AWS keeps: {MAX_VALUE // 1024} KiB")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"SecretBinary": data}
    return {"SecretBinary": data} if "\0" in text else {"SecretString": text}


def _version(answer: dict[str, Any]) -> Version:
    stages = answer.get("VersionStages")
    ours = {_STAGES.get(each) for each in stages} if isinstance(stages, list) else set()
    stage = next((each for each in (CURRENT, PENDING, PREVIOUS) if each in ours), RETIRED)
    version = answer.get("VersionId")
    return Version(
        version if isinstance(version, str) else "",
        stage=stage,
        created=aws.seconds(answer.get("CreatedDate")),
    )


def _value(answer: dict[str, Any]) -> object:
    return answer.get("SecretBinary", answer.get("SecretString"))


def _is_current(found: Secret | OpenclawError) -> bool:
    """Tell whether a batch, which cannot be asked for a stage, gave the one that we want."""
    return isinstance(found, OpenclawError) or found.version.stage == CURRENT


def _no_version(path: str, version: str) -> NotFoundError:
    return NotFoundError(f"{path} has no version {version}")
