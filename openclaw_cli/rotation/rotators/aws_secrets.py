"""AWS Secrets Manager: a value of our own, kept there for whoever reads it from AWS.

The new value comes as AWSPENDING first, is read back, and becomes AWSCURRENT; AWS keeps the one
before as AWSPREVIOUS. The rotation's token is the version's id, so nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_cli.errors import ConflictError, RefusedError
from openclaw_cli.model import SecretValue
from openclaw_cli.providers.provider import CHOSEN
from openclaw_cli.rotation import generators, staged
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task
from openclaw_cli.rotation.staged import NEXT, NOW, Staged
from openclaw_cli.sanitize import safe

_ACTIONS = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")


class AwsSecrets:
    name = "aws-secrets-manager"
    kind = CHOSEN
    SETTINGS = (
        *staged.SETTINGS,
        Setting("kind", "What to make, as --generate takes it.", default=generators.DEFAULT),
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        """Say no: a secret has one current value."""
        return False

    def check(self, task: Task) -> None:
        generators.parse(task.settings["kind"])
        secret = _secret(task)
        described = secret.send("DescribeSecret")
        if described.get("RotationEnabled"):
            raise ConflictError(
                f"AWS rotates {safe(secret.id)} itself",
                hint="--with aws-rotate-secret asks it to",
            )
        stages = secret.versions(described)
        pending = next((each for each in stages if NEXT in stages[each]), "")
        if pending and NOW not in stages[pending] and pending != task.token:
            raise ConflictError(
                f"somebody else is about to change {safe(secret.id)}: it has a version {NEXT}",
                hint=f"aws secretsmanager update-secret-version-stage --secret-id {safe(secret.id)}"
                f" --version-stage {NEXT} --remove-from-version-id {safe(pending)}",
            )
        _now(secret)

    def create(self, task: Task) -> Made:
        return Made(SecretValue(generators.parse(task.settings["kind"]).generate().value))

    def set(self, task: Task, pending: Held) -> None:
        secret, field = _secret(task), task.settings["field"]
        stages = secret.versions()
        if NOW in stages.get(task.token, ()):
            return
        before = _now(secret)
        wanted = staged.with_ours(before, field, pending.value.reveal().decode())
        secret.send(
            "PutSecretValue",
            ClientRequestToken=task.token,
            SecretString=wanted,
            VersionStages=[NEXT],
        )
        if secret.text(VersionId=task.token) != wanted:
            raise ConflictError(f"{safe(secret.id)} holds another value in {staged.TITLE}")
        secret.move(NOW, to=task.token, away=secret.at(NOW))
        _withdraw(task, secret)

    def test(self, task: Task, value: Held) -> None:
        kept = staged.ours(_now(_secret(task)), task.settings["field"])
        if kept.encode() != value.value.reveal():
            raise RefusedError(
                f"{staged.TITLE} has another current value for {safe(task.settings['id'])}"
            )

    def undo(self, task: Task, pending: Held) -> None:  # noqa: ARG002
        secret = _secret(task)
        stages = secret.versions()
        before = next((each for each in stages if "AWSPREVIOUS" in stages[each]), "")
        if NOW in stages.get(task.token, ()) and before:
            secret.move(NOW, to=before, away=task.token)
        _withdraw(task, secret)

    def revoke(self, task: Task, old: Held) -> None:
        """Do nothing: it is not current since `set`; AWS forgets it with the next one."""


def _secret(task: Task) -> Staged:
    return Staged(task, AwsSecrets.name, _ACTIONS)


def _now(secret: Staged) -> str:
    return secret.text(VersionStage=NOW)


def _withdraw(task: Task, secret: Staged) -> None:
    """Take AWSPENDING from our version, where it still is."""
    if NEXT in secret.versions().get(task.token, ()):
        secret.move(NEXT, away=task.token)
