"""AWS IAM: the access key of a user, of which it may have two.

The new key is made beside the old one, which is switched off and deleted after the grace time.
AWS shows a secret key once: one that was made and not kept is deleted, and another one made.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from openclaw_cli.backends.connect import aws
from openclaw_cli.backends.connect.aws_codes import Rejected
from openclaw_cli.errors import (
    ConfigError,
    ConflictError,
    DeniedError,
    OpenclawError,
    RefusedError,
)
from openclaw_cli.providers.provider import MINTED
from openclaw_cli.rotation import aws as connect
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task
from openclaw_cli.sanitize import safe

TITLE = "AWS IAM"
MOST_KEYS = 2  # that a user may have
OWN, AROUND = "own", "environment"

_USER = re.compile(r"arn:[a-z-]+:iam::\d+:user/(?:.*/)?([^/]+)")
_ACTIONS = (
    "iam:ListAccessKeys",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:DeleteAccessKey",
    "iam:GetAccessKeyLastUsed",
)
_NOBODY = "AKIA" + "A" * 16  # no key has this id; who may not delete is told so before that
_GONE = "NoSuchEntity"
_NOT_YET = "InvalidClientTokenId"  # what a key is told until all of AWS has heard of it
_SKEW = 60  # seconds that Amazon's clock and ours may be apart
_PATIENCE = 20.0  # seconds until a new key is known everywhere, by far


class AwsIam:
    name = "aws-iam"
    kind = MINTED
    SETTINGS = (
        Setting("user", "The user whose key it is; nothing: the one who signs in with it."),
        Setting(
            "sign-in", "own: with that key itself; environment: as the AWS CLI would.", default=OWN
        ),
        *connect.SETTINGS,
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002 - as the protocol says
        return True

    def check(self, task: Task) -> None:
        """See that there is room for a second key, and that what follows is allowed."""
        iam = _Iam(task)
        current, _ = _key(task, _current(task))
        keys = iam.keys()
        if len(keys) - len(iam.ours_to_delete(keys)) >= MOST_KEYS:
            raise _too_many(iam.user, keys, task)
        if keys.get(current, {}).get("Status") == "Active":
            iam.send("UpdateAccessKey", AccessKeyId=current, Status="Active")
        iam.delete(_NOBODY)

    def create(self, task: Task) -> Made:
        iam = _Iam(task)
        keys = iam.keys()
        for unknown in iam.ours_to_delete(keys):
            iam.delete(unknown)
        try:
            answer = iam.send("CreateAccessKey", again=False)
        except Rejected:
            raise _too_many(iam.user, keys, task) from None
        made = answer.get("AccessKey")
        id_, secret = (made.get("AccessKeyId"), made.get("SecretAccessKey")) if made else ("", "")
        if not connect.ID.fullmatch(str(id_)) or not connect.SECRET.fullmatch(str(secret)):
            raise iam.odd()
        new = connect.renewed(_current(task).value, task.name, (str(id_), str(secret)))
        return Made(new, str(id_))

    def set(self, task: Task, pending: Held) -> None:
        """Do nothing: AWS accepts the key since it made it."""

    def test(self, task: Task, value: Held) -> None:
        """Ask AWS who the key is of; a new one is not known everywhere at once."""
        from openclaw_cli.backends.connect.timed import Deadline

        key = _key(task, value)
        sts = _connection(task, key)
        patience = Deadline(min(task.seconds(), _PATIENCE))
        pause = 0.5
        while True:
            try:
                sts.send("sts", "GetCallerIdentity", {}, sts.deadline())
            except Rejected as rejected:
                if rejected.code == _NOT_YET and patience.sleep(pause):
                    pause *= 2
                    continue
                if isinstance(sts.error(rejected, "", ""), DeniedError):
                    raise RefusedError(f"AWS does not accept the access key {key[0]}") from None
                raise sts.error(rejected, "who the key is of", "*") from None
            return

    def undo(self, task: Task, pending: Held) -> None:
        self.revoke(task, pending)

    def revoke(self, task: Task, old: Held) -> None:
        """Switch the key off and delete it, unless another version that we hold is the same."""
        gone, _ = _key(task, old)
        if any(_key(task, each)[0] == gone for each in task.held if each.value is not old.value):
            return
        iam = _Iam(task)
        try:
            iam.send("UpdateAccessKey", AccessKeyId=gone, Status="Inactive")
        except _NoSuchKeyError:
            return
        iam.delete(gone)


class _NoSuchKeyError(RefusedError):
    """The key, or the user, is not there."""


class _Iam:
    """What is done with the keys of one user."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._connection = _signed_in(task)
        self.user = task.settings["user"] or self._owner()

    def send(self, action: str, *, again: bool = True, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
        """Raise `Rejected` only for a limit on how many keys there may be."""
        if action != "GetAccessKeyLastUsed":  # the one that finds the user by itself
            arguments["UserName"] = self.user
        deadline = self._connection.deadline()
        try:
            return self._connection.send("iam", action, arguments, deadline, again=again)
        except Rejected as rejected:
            if rejected.code == "LimitExceeded":
                raise
            raise self._error(rejected) from None

    def keys(self) -> dict[str, dict[str, Any]]:
        """Return the user's keys by their ids."""
        listed = aws.dicts(self.send("ListAccessKeys").get("AccessKeyMetadata"))
        return {str(each.get("AccessKeyId")): each for each in listed}

    def ours_to_delete(self, keys: Mapping[str, dict[str, Any]]) -> list[str]:
        """Return the keys that this rotation made and nobody has.

        Nobody has ever signed in with one, and none is older than the rotation.
        """
        held = {_key(self._task, each)[0] for each in self._task.held}
        return [
            id_
            for id_, key in keys.items()
            if id_ not in held
            and aws.seconds(key.get("CreateDate")) >= self._task.began - _SKEW
            and not self._was_used(id_)
        ]

    def delete(self, id_: str) -> None:
        try:
            self.send("DeleteAccessKey", AccessKeyId=id_)
        except _NoSuchKeyError:
            return

    def odd(self) -> OpenclawError:
        return self._connection.odd("the access key")

    def _was_used(self, id_: str) -> bool:
        used = self.send("GetAccessKeyLastUsed", AccessKeyId=id_).get("AccessKeyLastUsed")
        return isinstance(used, dict) and bool(used.get("LastUsedDate"))

    def _owner(self) -> str:
        """Ask AWS whose the present key is, which may be gone where it is not what signs in."""
        if not _is_own(self._task):
            raise ConfigError(
                "somebody else's keys are rotated only for a user that is named",
                hint="--setting user=NAME",
            )
        key = _key(self._task, _current(self._task))
        sts = _connection(self._task, key)
        try:
            who = sts.send("sts", "GetCallerIdentity", {}, sts.deadline())
        except Rejected as rejected:
            raise sts.error(rejected, "who the key is of", "*") from None
        match = _USER.fullmatch(str(who.get("Arn", "")))
        if not match:
            raise RefusedError(
                f"the access key {key[0]} is of no IAM user, so there is nobody to make one for",
                hint="keep root without keys, and a role's are temporary",
            )
        return match[1]

    def _error(self, rejected: Rejected) -> OpenclawError:
        user = safe(self.user)
        if rejected.code == _GONE:
            return _NoSuchKeyError(f"{TITLE} has no such user or access key: {user}")
        if rejected.denied:
            return DeniedError(
                f"{TITLE} does not allow {rejected.action} on {user}", hint=policy(user)
            )
        return self._connection.error(rejected, user, f"arn:aws:iam::*:user/{user}")


def policy(user: str) -> str:
    """Return the IAM policy that lets somebody rotate the keys of a user."""
    statement = {
        "Effect": "Allow",
        "Action": list(_ACTIONS),
        "Resource": f"arn:aws:iam::*:user/{user}",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _is_own(task: Task) -> bool:
    """Tell whether the key is made by the one that it replaces."""
    settings = task.settings
    around = settings["sign-in"] == AROUND or settings["profile"] or settings["role-arn"]
    return not (around or "admin" in task.secrets)


def _signed_in(task: Task) -> aws.Connection:
    if "admin" in task.secrets:
        return _connection(task, connect.in_text(task.secrets["admin"], "the admin's secret"))
    if task.settings["sign-in"] not in (OWN, AROUND):
        raise ConfigError(f"the setting sign-in is {OWN} or {AROUND}")
    return _connection(task, _key(task, _current(task)) if _is_own(task) else None)


def _connection(task: Task, key: connect.Key | None) -> aws.Connection:
    # IAM has no region; to sign in there, one is named.
    region = task.settings["region"] or os.environ.get("AWS_REGION") or "us-east-1"
    settings = {**task.settings, "region": region}
    return connect.with_key(replace(task, settings=settings), "aws-iam", TITLE, key)


def _current(task: Task) -> Held:
    latest = task.current or task.previous  # a leaked one is revoked before there is another
    if latest is None:
        raise ConfigError(
            f"{task.name} has no access key yet",
            hint="aws iam create-access-key --user-name USER --query AccessKey "
            f"| openclaw secrets set {task.name}",
        )
    return latest


def _key(task: Task, held: Held) -> connect.Key:
    return connect.in_text(held.value, task.name)


def _too_many(user: str, keys: Mapping[str, dict[str, Any]], task: Task) -> ConflictError:
    held = {_key(task, each)[0] for each in task.held}
    unknown = [id_ for id_ in keys if id_ not in held]
    if not unknown:
        return ConflictError(
            f"{safe(user)} has two access keys already: the one before is not revoked yet",
            hint="wait until the grace time is over",
        )
    return ConflictError(
        f"{safe(user)} has {MOST_KEYS} access keys, the most there may be, and not all are ours: "
        f"{safe(', '.join(unknown))}",
        hint=f"is it in use? aws iam delete-access-key --user-name {safe(user)} "
        f"--access-key-id {safe(unknown[0])}",
    )
