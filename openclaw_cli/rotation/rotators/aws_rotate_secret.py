"""AWS Secrets Manager's own rotation: its Lambda makes the new value when we ask it to.

We ask with the rotation's token, so that AWS does one rotation for one of ours, and take over what
it made. How long the old value is good is the Lambda's affair.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_cli.errors import ConfigError, RefusedError, TemporaryError
from openclaw_cli.model import SecretValue
from openclaw_cli.providers.provider import MINTED
from openclaw_cli.rotation import staged
from openclaw_cli.rotation.rotator import Held, Made, Task
from openclaw_cli.rotation.staged import NEXT, NOW, Staged
from openclaw_cli.sanitize import safe

_ACTIONS = ("DescribeSecret", "GetSecretValue", "RotateSecret")
_PATIENCE = 120.0  # seconds: a Lambda is given its time, and the next run waits for it again


class AwsRotateSecret:
    name = "aws-rotate-secret"
    kind = MINTED
    SETTINGS = staged.SETTINGS

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        """Say no: what a Lambda does with the old value, nobody knows but it."""
        return False

    def check(self, task: Task) -> None:
        secret = _secret(task)
        if not secret.send("DescribeSecret").get("RotationEnabled"):
            raise ConfigError(
                f"AWS does not rotate {safe(secret.id)}: no Lambda does it there",
                hint=f"aws secretsmanager rotate-secret --secret-id {safe(secret.id)} "
                "--rotation-lambda-arn ARN, or --with aws-secrets-manager",
            )
        _now(secret, task)

    def create(self, task: Task) -> Made:
        """Ask for a rotation and wait for it, unless AWS has another value than ours already."""
        secret = _secret(task)
        value = _now(secret, task)
        if not task.held or value in [each.value.reveal().decode() for each in task.held]:
            if task.token not in secret.versions():
                secret.send("RotateSecret", ClientRequestToken=task.token)
            value = _awaited(secret, task)
        return Made(SecretValue(value.encode()), secret.at(NOW))

    def set(self, task: Task, pending: Held) -> None:
        """Do nothing: the Lambda has."""

    def test(self, task: Task, value: Held) -> None:
        if _now(_secret(task), task).encode() != value.value.reveal():
            raise RefusedError(
                f"{staged.TITLE} has another current value for {safe(task.settings['id'])}",
                hint=f"openclaw secrets rotate {task.name}",
            )

    def undo(self, task: Task, pending: Held) -> None:
        """Do nothing: AWS has its value, which the next rotation takes over."""

    def revoke(self, task: Task, old: Held) -> None:
        """Do nothing: that is the Lambda's affair."""


def _secret(task: Task) -> Staged:
    return Staged(task, AwsRotateSecret.name, _ACTIONS)


def _now(secret: Staged, task: Task) -> str:
    found = staged.ours(secret.text(VersionStage=NOW), task.settings["field"])
    if not found:
        raise ConfigError(
            f"{safe(secret.id)} has no text in the field {task.settings['field']} there"
        )
    return found


def _awaited(secret: Staged, task: Task) -> str:
    """Wait until what we asked for is current; raises `TemporaryError` when it takes too long."""
    until = task.seconds(_PATIENCE)
    waited, attempt = 0.0, 0
    while NOW not in secret.versions().get(task.token, ()):
        if waited >= until:
            raise TemporaryError(
                f"the rotation of {safe(secret.id)} by AWS is not over: it is {NEXT} still",
                hint="see the logs of its Lambda; the next run waits for it again",
            )
        waited += staged.pause(attempt)
        attempt += 1
    return _now(secret, task)
