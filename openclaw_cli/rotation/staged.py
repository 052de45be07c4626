"""A secret in AWS Secrets Manager: its versions by their stages, read and moved."""

from __future__ import annotations

import json
import time
from typing import Any

from openclaw_cli.backends.connect.aws_codes import Rejected
from openclaw_cli.errors import DeniedError, NotFoundError, OpenclawError
from openclaw_cli.rotation import aws as connect
from openclaw_cli.rotation.rotator import Setting, Task
from openclaw_cli.sanitize import safe

TITLE = "AWS Secrets Manager"
NOW, NEXT = "AWSCURRENT", "AWSPENDING"
SETTINGS = (
    Setting("id", "The secret's name or ARN there.", required=True),
    Setting("field", "The field of a JSON value that is ours; nothing: all of it."),
    *connect.SETTINGS,
)


class Staged:
    """One secret there, for one step of a rotation; `actions` are what its policy is to allow."""

    def __init__(self, task: Task, kind: str, actions: tuple[str, ...]) -> None:
        self.id = task.settings["id"]
        self._actions = actions
        self._connection = connect.connection(task, kind, TITLE)

    def send(self, action: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
        """Ask for an action on the secret."""
        arguments["SecretId"] = self.id
        # A stage that was moved is not where it was, so the same request would then fail.
        again = action != "UpdateSecretVersionStage"
        try:
            deadline = self._connection.deadline()
            return self._connection.send("secretsmanager", action, arguments, deadline, again=again)
        except Rejected as rejected:
            raise self._error(rejected) from None

    def versions(self, described: dict[str, Any] | None = None) -> dict[str, list[str]]:
        """Return the stages of each version that has one."""
        found = (described or self.send("DescribeSecret")).get("VersionIdsToStages")
        if not isinstance(found, dict):
            raise self._connection.odd("the secret")
        return {str(version): list(map(str, stages)) for version, stages in found.items()}

    def at(self, stage: str) -> str:
        """Return the version that a stage is at, or nothing."""
        found = (version for version, stages in self.versions().items() if stage in stages)
        return next(found, "")

    def text(self, **which: str) -> str:
        """Return a version's text, by `VersionStage` or `VersionId`; raises `NotFoundError`."""
        found = self.send("GetSecretValue", **which).get("SecretString")
        if not isinstance(found, str):
            raise NotFoundError(f"{safe(self.id)} holds no text in {TITLE}")
        return found

    def move(self, stage: str, *, to: str = "", away: str = "") -> None:
        """Move a stage to a version, away from one, or both."""
        arguments = {"MoveToVersionId": to, "RemoveFromVersionId": away}
        given = {name: version for name, version in arguments.items() if version}
        self.send("UpdateSecretVersionStage", VersionStage=stage, **given)

    def _error(self, rejected: Rejected) -> OpenclawError:
        name = safe(self.id)
        arn = name if name.startswith("arn:") else f"arn:aws:secretsmanager:*:*:secret:{name}-*"
        if rejected.denied:
            allowed = {
                "Effect": "Allow",
                "Action": [f"secretsmanager:{action}" for action in self._actions],
                "Resource": arn,
            }
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
            return DeniedError(f"{TITLE} does not allow {rejected.action} on {name}", hint=policy)
        return self._connection.error(rejected, name, arn)


def ours(text: str, field: str) -> str:
    """Return the part of a text that is ours, or nothing."""
    if not field:
        return text
    found = _fields(text).get(field)
    return found if isinstance(found, str) else ""


def with_ours(text: str, field: str, value: str) -> str:
    """Return the text with another value in our part."""
    return json.dumps({**_fields(text), field: value}) if field else value


def _fields(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def pause(attempt: int) -> float:
    """Wait a little longer each time, up to five seconds; return how long."""
    seconds = min(0.2 * 2.0**attempt, 5)
    time.sleep(seconds)
    return seconds
