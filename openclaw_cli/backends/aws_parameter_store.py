"""AWS Systems Manager's Parameter Store: `aws-parameter-store://team/db?version=3#password`.

It keeps texts, here as SecureString parameters under a prefix; a version's word is its number.
"""

from __future__ import annotations

import re
import time
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
    NotFoundError,
    OpenclawError,
    RefusedError,
    UsageError,
)
from openclaw_cli.model import CURRENT, PREVIOUS, RETIRED, Secret, SecretValue, Version

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.timed import Deadline

KIND = "aws-parameter-store"
AT_ONCE = 10  # parameters in one GetParameters, and in a page of GetParametersByPath
STANDARD, ADVANCED = 4096, 8192  # bytes of a value
_HISTORY_PAGE = 50
_LEVELS = 15  # of a name
_TIERS = {"": STANDARD, "standard": STANDARD, "advanced": ADVANCED, "intelligent-tiering": ADVANCED}
_NAME = re.compile(r"/[A-Za-z0-9_./-]{1,900}")
_VERSION = re.compile(r"[1-9][0-9]{0,17}")
_RESERVED = re.compile(r"/(?:aws|ssm)", re.IGNORECASE)
_ABSENT = frozenset(("ParameterNotFound", "ParameterVersionNotFound"))


class ParameterStoreBackend:
    AT_ONCE = 8
    SETTINGS = (
        *aws.SETTINGS,
        Setting("prefix", "/openclaw/", "What the names there begin with, and ours do not."),
        Setting("kms-key-id", "", "The KMS key for what is written; nothing: aws/ssm."),
        Setting("tier", "", "standard, advanced or intelligent-tiering; nothing: the account's."),
    )

    def __init__(self, settings: Settings) -> None:
        self._aws = aws.Connection(
            settings, more=self.SETTINGS[len(aws.SETTINGS) :], kind=KIND, title="Parameter Store"
        )
        self._prefix = str(self._aws.settings["prefix"])
        self._tier = str(self._aws.settings["tier"]).lower()
        if not (self._prefix.startswith("/") and self._prefix.endswith("/")):
            raise ConfigError(f"the setting prefix of the {KIND} backend begins and ends with /")
        if self._tier not in _TIERS:
            raise ConfigError(
                f"the setting tier of the {KIND} backend is not one of Parameter Store",
                hint=f"known: {', '.join(filter(None, _TIERS))}",
            )

    def persist(self, *, again: bool) -> None:
        """Say whether what fails is tried again at once."""
        self._aws.again = again

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
        """Return the latest version, or another by its number."""
        name = self._name(path)
        deadline = self._aws.deadline()
        if version is None:
            found = self._one(path, name, deadline)
        else:
            found = self._older(path, name, version, deadline)
        return Secret(part(found.value.reveal(), field, path), found.version, KIND)

    def get_many(self, paths: Sequence[str]) -> aws.Found:
        """Ask for ten at once, and one by one where a policy does not allow that."""
        return self._aws.many(
            paths,
            self._name,
            AT_ONCE,
            self._batch,
            lambda path, deadline: self._one(path, self._name(path), deadline),
        )

    def put(self, path: str, value: SecretValue) -> Version:
        """Write a new version of a SecureString.

        Raises `RefusedError` for what is not text, and for more than 4 KiB, or 8 KiB in the
        advanced tier.
        """
        name = self._name(path)
        arguments = {
            "Name": name,
            "Value": self._text(value),
            "Type": "SecureString",
            "Overwrite": True,
        }
        if self._aws.settings["kms-key-id"]:
            arguments["KeyId"] = self._aws.settings["kms-key-id"]
        if self._tier:
            arguments["Tier"] = self._tier.title()
        try:
            # Not again when there was no answer: a version more would be written.
            answer = self._aws.send(
                "ssm", "PutParameter", arguments, self._aws.deadline(), again=False
            )
        except Rejected as rejected:
            raise self._error(rejected, path, name) from None
        return Version(self._number(answer.get("Version"), path), created=time.time())

    def delete(self, path: str) -> bool:
        """Delete it with all its versions; they cannot be brought back."""
        name = self._name(path)
        try:
            self._send("DeleteParameter", {"Name": name}, self._aws.deadline())
        except Rejected as rejected:
            if rejected.code in _ABSENT:
                return False
            raise self._error(rejected, path, name) from None
        return True

    def names(self, prefix: str = "") -> list[str]:
        start = self._prefix + prefix
        if not _NAME.fullmatch(start + "x"):
            return []
        folder = start[: start.rindex("/")] or "/"
        arguments = {
            "Path": folder,
            "Recursive": True,
            "WithDecryption": False,
            "MaxResults": AT_ONCE,
        }
        listed = self._pages("GetParametersByPath", arguments, "the list", folder)
        return aws.paths(listed, self._prefix, prefix, self._name)

    def versions(self, path: str) -> list[Version]:
        """Return those that are kept, at most 100, the newest first. Nothing is decrypted."""
        name = self._name(path)
        arguments = {"Name": name, "WithDecryption": False, "MaxResults": _HISTORY_PAGE}
        listed = self._pages("GetParameterHistory", arguments, path, name)
        numbers = {int(self._number(each.get("Version"), path)): each for each in listed}
        if not numbers:
            raise NotFoundError(f"{path} is not in {self._aws.title}")
        latest = max(numbers)
        return [
            Version(
                str(each),
                stage=_stage(each, latest),
                created=aws.seconds(numbers[each].get("LastModifiedDate")),
            )
            for each in sorted(numbers, reverse=True)
        ]

    def check(self) -> Health:
        """Try to list, and to read a name that need not exist; nothing is written."""
        probe = "openclaw-cli-check"

        def read(deadline: Deadline) -> None:
            try:
                self._one(probe, self._prefix + probe, deadline)
            except NotFoundError:
                return

        def list_(deadline: Deadline) -> None:
            folder = self._prefix.rstrip("/") or "/"
            try:
                self._send("GetParametersByPath", {"Path": folder, "MaxResults": 1}, deadline)
            except Rejected as rejected:
                raise self._aws.error(rejected, "the list", self._arn(folder)) from None

        return self._aws.check([("reading", read), ("listing", list_)])

    def _name(self, path: str) -> str:
        """Return the name there; raises `UsageError` for what cannot be one."""
        name = self._prefix + checked_path(path)
        if not _NAME.fullmatch(name) or name.count("/") > _LEVELS or _RESERVED.match(name):
            raise UsageError(
                f"not a name for {self._aws.title}: {path}",
                hint="use letters, digits and / _ . - in at most 15 levels; not aws or ssm first",
            )
        return name

    def _text(self, value: SecretValue) -> str:
        data = value.reveal()
        most = _TIERS[self._tier]
        if len(data) > most:
            raise RefusedError(
                f"the value is larger than {self._aws.title} keeps: {most} bytes",
                hint="aws-secrets-manager keeps 64 KiB; the advanced tier 8 KiB, for money",
            )
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise RefusedError(
                f"the value is not text, and {self._aws.title} keeps no other",
                hint="aws-secrets-manager keeps any bytes",
            )
        return text

    def _send(self, action: str, arguments: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        return self._aws.send("ssm", action, arguments, deadline)

    def _pages(
        self, action: str, arguments: dict[str, Any], what: str, name: str
    ) -> list[dict[str, Any]]:
        try:
            return self._aws.pages("ssm", action, "Parameters", arguments, self._aws.deadline())
        except Rejected as rejected:
            raise self._error(rejected, what, name) from None

    def _error(self, rejected: Rejected, path: str, name: str) -> OpenclawError:
        return self._aws.error(rejected, path, self._arn(name))

    def _arn(self, name: str) -> str:
        return self._aws.arn("ssm:{}:*:parameter" + name)

    def _parameter(
        self, path: str, name: str, deadline: Deadline, *, decrypted: bool = True
    ) -> dict[str, Any]:
        try:
            answer = self._send(
                "GetParameter", {"Name": name, "WithDecryption": decrypted}, deadline
            )
        except Rejected as rejected:
            raise self._error(rejected, path, name.partition(":")[0]) from None
        parameter = answer.get("Parameter")
        if not isinstance(parameter, dict):
            raise self._aws.odd(path)
        return parameter

    def _one(self, path: str, name: str, deadline: Deadline) -> Secret:
        found = self._parameter(path, name, deadline)
        return self._aws.secret(found.get("Value"), _version(found), path)

    def _older(self, path: str, name: str, version: str, deadline: Deadline) -> Secret:
        """Return a version by its number, and ask for the latest to say which stage it has."""
        if not _VERSION.fullmatch(version):
            raise _no_version(path, version)
        try:
            found = self._one(path, f"{name}:{version}", deadline)
        except NotFoundError:
            raise _no_version(path, version) from None
        now = self._parameter(path, name, deadline, decrypted=False)
        latest = int(self._number(now.get("Version"), path))
        found.version.stage = _stage(int(found.version.id), latest)
        return found

    def _batch(self, paths: dict[str, str], deadline: Deadline) -> aws.Found:
        answer = self._send(
            "GetParameters", {"Names": list(paths), "WithDecryption": True}, deadline
        )
        found = self._aws.secrets(
            [
                (paths[str(each["Name"])], each.get("Value"), _version(each))
                for each in aws.dicts(answer.get("Parameters"))
                if str(each.get("Name")) in paths
            ]
        )
        absent = answer.get("InvalidParameters")
        for name in absent if isinstance(absent, list) else ():
            path = paths.get(str(name))
            if path:
                found[path] = NotFoundError(f"{path} is not in {self._aws.title}")
        return found

    def _number(self, version: object, path: str) -> str:
        if type(version) is not int:
            raise self._aws.odd(path)
        return str(version)


def _stage(version: int, latest: int) -> str:
    return {latest: CURRENT, latest - 1: PREVIOUS}.get(version, RETIRED)


def _version(parameter: dict[str, Any]) -> Version:
    number = parameter.get("Version")
    created = aws.seconds(parameter.get("LastModifiedDate"))
    return Version(str(number) if type(number) is int else "", created=created)


def _no_version(path: str, version: str) -> NotFoundError:
    return NotFoundError(f"{path} has no version {version}")
