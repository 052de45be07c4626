"""A secret in AWS Secrets Manager is rotated by us in stages, or by its Lambda, on moto."""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from openclaw_cli.errors import (
    ConfigError,
    ConflictError,
    DeniedError,
    NotFoundError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.model import CURRENT, SecretValue
from openclaw_cli.rotation.rotator import Held, Rotator, Task, checked
from openclaw_cli.rotation.rotators.aws_rotate_secret import AwsRotateSecret
from openclaw_cli.rotation.rotators.aws_secrets import AwsSecrets
from openclaw_cli.testing.rotators import TOKEN, Accepts, ProviderContract, pending_of
from tests.integration.moto_server import Moto, variables
from tests.integration.rotations import refused
from tests.lossy_proxy import LossyProxy

pytestmark = pytest.mark.integration

ID = "team/app"


@pytest.fixture
def secrets(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - boto3 has no types
    """Give boto3's client of a moto that has one secret; Amazon's variables lead there."""
    moto.reset()
    for name, value in variables(moto.address).items():
        monkeypatch.setenv(name, value)
    client = moto.client("secretsmanager")
    client.create_secret(Name=ID, SecretString="before")
    return client


def task_for(rotator: Any, value: str = "before", **settings: str) -> Task:  # noqa: ANN401
    return Task(
        "app",
        TOKEN,
        time.time(),
        (Held(SecretValue(value.encode()), CURRENT),),
        checked({"id": ID, **settings}, rotator.SETTINGS, rotator.name),
    )


def now(secrets: Any) -> str:  # noqa: ANN401
    found: str = secrets.get_secret_value(SecretId=ID, VersionStage="AWSCURRENT")["SecretString"]
    return found


def stages(secrets: Any) -> dict[str, list[str]]:  # noqa: ANN401
    found: dict[str, list[str]] = secrets.describe_secret(SecretId=ID)["VersionIdsToStages"]
    return found


def there(secrets: Any) -> list[str]:  # noqa: ANN401
    return [stage for each in stages(secrets).values() for stage in each]


class TestStagedByUs(ProviderContract):
    @pytest.fixture
    def rotator(self) -> AwsSecrets:
        return AwsSecrets()

    @pytest.fixture
    def task(self, rotator: AwsSecrets, secrets: Any) -> Task:  # noqa: ANN401, ARG002
        return task_for(rotator)

    @pytest.fixture
    def accepts(self, secrets: Any) -> Accepts:  # noqa: ANN401
        return lambda value: now(secrets).encode() == value.reveal()

    @pytest.fixture
    def live(self) -> Callable[[], int]:
        return lambda: 1

    def test_no_stage_is_left_over_and_the_one_before_is_kept(
        self,
        rotator: AwsSecrets,
        task: Task,
        secrets: Any,  # noqa: ANN401
    ) -> None:
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        assert stages(secrets)[TOKEN] == ["AWSCURRENT"]
        assert sorted(there(secrets)) == ["AWSCURRENT", "AWSPREVIOUS"]

    @pytest.mark.parametrize("lost", ["PutSecretValue", "UpdateSecretVersionStage"])
    def test_a_lost_reply_writes_nothing_twice(
        self,
        rotator: AwsSecrets,
        task: Task,
        secrets: Any,  # noqa: ANN401
        moto: Moto,
        lost: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        task, pending = pending_of(task, rotator.create(task))
        with LossyProxy(moto.port) as way:
            monkeypatch.setenv("AWS_ENDPOINT_URL", way.address)
            way.lose(f"secretsmanager.{lost}".encode())
            if lost == "UpdateSecretVersionStage":
                refused(TemporaryError, rotator.set, task, pending)
            rotator.set(task, pending)
            rotator.test(task, pending)
        assert way.lost == 1
        assert len(secrets.list_secret_version_ids(SecretId=ID)["Versions"]) == 2

    def test_killed_after_each_change_it_goes_on(
        self,
        rotator: AwsSecrets,
        task: Task,
        secrets: Any,  # noqa: ANN401
    ) -> None:
        task, pending = pending_of(task, rotator.create(task))
        before = next(iter(stages(secrets)))
        secrets.put_secret_value(
            SecretId=ID,
            ClientRequestToken=TOKEN,
            SecretString=pending.value.reveal().decode(),
            VersionStages=["AWSPENDING"],
        )
        assert now(secrets) == "before"
        rotator.set(task, pending)
        rotator.test(task, pending)
        secrets.update_secret_version_stage(
            SecretId=ID, VersionStage="AWSPENDING", MoveToVersionId=TOKEN
        )
        rotator.undo(task, pending)
        assert now(secrets) == "before"
        assert "AWSCURRENT" in stages(secrets)[before]
        assert "AWSPENDING" not in there(secrets)

    def test_one_field_of_many_is_ours(self, rotator: AwsSecrets, secrets: Any) -> None:  # noqa: ANN401
        many = {"host": "db", "password": "before", "port": 5432}
        secrets.put_secret_value(SecretId=ID, SecretString=json.dumps(many))
        task = task_for(rotator, field="password")
        task, pending = pending_of(task, rotator.create(task))
        for _ in range(2):
            rotator.set(task, pending)
        rotator.test(task, pending)
        assert json.loads(now(secrets)) == {
            **many,
            "password": pending.value.reveal().decode(),
        }

    def test_what_somebody_else_is_about_to_change_is_left_alone(
        self,
        rotator: AwsSecrets,
        task: Task,
        secrets: Any,  # noqa: ANN401
    ) -> None:
        other = secrets.put_secret_value(
            SecretId=ID, SecretString="theirs", VersionStages=["AWSPENDING"]
        )
        said = refused(ConflictError, rotator.check, task)
        assert said.hint.endswith(other["VersionId"])

    def test_what_is_not_there_is_said(self, rotator: AwsSecrets, task: Task) -> None:
        absent = replace(task, settings={**task.settings, "id": "no/such"})
        refused(NotFoundError, rotator.check, absent)


class Rotating:
    """Moto, but RotateSecret is carried out as AWS documents it, by a Lambda that takes its time.

    Moto itself would make a version without a value current at once. Here the version with the
    request's token is AWSPENDING first, and AWSCURRENT when the Lambda is done; the same token
    asks for the same rotation, and another one meanwhile is refused.
    """

    def __init__(self, moto: Moto, secrets: Any) -> None:  # noqa: ANN401
        self._secrets = secrets
        self.takes = 0.5
        self.asked: list[str] = []
        self.rotations = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["X-Amz-Target"] == "secretsmanager.RotateSecret":
                    status, answer = outer.rotate(json.loads(body))
                else:
                    status, answer = _forwarded(moto.address, dict(self.headers), body)
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_arguments: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._threads = [threading.Thread(target=self._server.serve_forever, daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for each in self._threads:
            each.join()

    def rotate(self, asked: dict[str, Any]) -> tuple[int, bytes]:
        token = asked["ClientRequestToken"]
        self.asked.append(token)
        kept = stages(self._secrets)
        if any("AWSPENDING" in kept[each] for each in kept if each != token):
            return 400, b'{"__type": "InvalidRequestException", "message": "in progress"}'
        if token not in kept:
            self._secrets.put_secret_value(
                SecretId=ID,
                ClientRequestToken=token,
                SecretString=f"of the lambda {token}",
                VersionStages=["AWSPENDING"],
            )
            before = next(each for each in kept if "AWSCURRENT" in kept[each])
            finishing = threading.Thread(target=self._finish, args=[token, before], daemon=True)
            self._threads.append(finishing)
            finishing.start()
        return 200, json.dumps({"ARN": "arn", "Name": ID, "VersionId": token}).encode()

    def _finish(self, token: str, before: str) -> None:
        time.sleep(self.takes)
        move = self._secrets.update_secret_version_stage
        move(
            SecretId=ID,
            VersionStage="AWSCURRENT",
            MoveToVersionId=token,
            RemoveFromVersionId=before,
        )
        move(SecretId=ID, VersionStage="AWSPENDING", RemoveFromVersionId=token)
        self.rotations += 1


def _forwarded(address: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(address, data=body, headers=headers)  # noqa: S310 - our own
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


class TestByItsLambda(ProviderContract):
    @pytest.fixture
    def service(
        self,
        moto: Moto,
        secrets: Any,  # noqa: ANN401
        monkeypatch: pytest.MonkeyPatch,
    ) -> Iterator[Rotating]:
        secrets.rotate_secret(
            SecretId=ID, RotationRules={"AutomaticallyAfterDays": 30}, RotateImmediately=False
        )
        first = secrets.put_secret_value(SecretId=ID, SecretString="before")["VersionId"]
        assert "AWSCURRENT" in stages(secrets)[first]
        running = Rotating(moto, secrets)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{running.port}")
        yield running
        running.stop()

    @pytest.fixture
    def rotator(self) -> AwsRotateSecret:
        return AwsRotateSecret()

    @pytest.fixture
    def task(self, rotator: AwsRotateSecret, service: Rotating) -> Task:  # noqa: ARG002
        return task_for(rotator)

    @pytest.fixture
    def accepts(self, secrets: Any) -> Accepts:  # noqa: ANN401
        return lambda value: now(secrets).encode() == value.reveal()

    @pytest.fixture
    def live(self) -> Callable[[], int]:
        return lambda: 1

    def test_a_chosen_value_is_not_accepted_before_it_is_set(
        self, rotator: Rotator, task: Task, accepts: Accepts
    ) -> None:
        """AWS itself makes it current."""
        assert accepts(rotator.create(task).value)

    def test_a_value_that_was_never_kept_leaves_no_orphan(
        self, rotator: Rotator, task: Task, accepts: Accepts, live: Callable[[], int]
    ) -> None:
        """It is found again: AWS keeps it."""
        lost = rotator.create(task)
        assert rotator.create(task).value.reveal() == lost.value.reveal()
        assert accepts(lost.value)
        assert live() == 1

    def test_after_an_undo_all_is_as_before(
        self, rotator: Rotator, task: Task, accepts: Accepts, live: Callable[[], int]
    ) -> None:
        """What was given up is not lost: the next rotation takes it over."""
        task, pending = pending_of(task, rotator.create(task))
        rotator.undo(task, pending)
        task = replace(task, held=task.held[:1])
        assert accepts(rotator.create(task).value)
        assert live() == 1

    def test_it_is_waited_for_and_asked_for_once(
        self,
        rotator: AwsRotateSecret,
        task: Task,
        service: Rotating,
        secrets: Any,  # noqa: ANN401
    ) -> None:
        made = rotator.create(task)
        assert made.value.reveal().decode() == now(secrets) == f"of the lambda {TOKEN}"
        assert made.handle == TOKEN
        assert (service.asked, service.rotations) == ([TOKEN], 1)

    def test_one_that_takes_longer_than_the_run_is_taken_over_by_the_next(
        self, rotator: AwsRotateSecret, task: Task, service: Rotating
    ) -> None:
        service.takes = 6.0
        hurried = replace(task, deadline=time.monotonic() + 1.5)
        refused(TemporaryError, rotator.create, hurried)
        made = rotator.create(task)
        assert made.value.reveal() == f"of the lambda {TOKEN}".encode()
        assert service.asked == [TOKEN]

    def test_a_lost_reply_is_one_rotation(
        self,
        rotator: AwsRotateSecret,
        task: Task,
        service: Rotating,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with LossyProxy(service.port) as way:
            monkeypatch.setenv("AWS_ENDPOINT_URL", way.address)
            way.lose(b"secretsmanager.RotateSecret")
            rotator.create(task)
        assert way.lost == 1
        assert service.rotations == 1

    def test_a_secret_that_aws_does_not_rotate_is_said(
        self,
        rotator: AwsRotateSecret,
        secrets: Any,  # noqa: ANN401
    ) -> None:
        secrets.create_secret(Name="plain", SecretString="before")
        said = refused(ConfigError, rotator.check, task_for(rotator, id="plain"))
        assert "--with aws-secrets-manager" in said.hint

    def test_what_aws_rotates_is_not_staged_by_us(self, service: Rotating) -> None:  # noqa: ARG002
        staged = AwsSecrets()
        said = refused(ConflictError, staged.check, task_for(staged))
        assert said.hint.startswith("--with aws-rotate-secret")


@pytest.mark.parametrize("kind", [AwsSecrets, AwsRotateSecret])
def test_a_missing_right_is_said_with_the_policy_that_is_enough(
    kind: type[Any], moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    moto.reset()
    moto.client("secretsmanager").create_secret(Name=ID, SecretString="before")
    key = moto.user({"Version": "2012-10-17", "Statement": [_NOTHING]})
    for name, value in variables(moto.address, *key).items():
        monkeypatch.setenv(name, value)
    rotator = kind()
    task = task_for(rotator)
    with moto.strict():
        said = refused(DeniedError, rotator.check, task)
    statement = json.loads(said.hint)["Statement"][0]
    assert statement["Resource"].endswith(f":secret:{ID}-*")
    # Moto knows no resource here but the whole.
    key = moto.user({"Version": "2012-10-17", "Statement": [{**statement, "Resource": "*"}]})
    for name, value in variables(moto.address, *key).items():
        monkeypatch.setenv(name, value)
    if kind is AwsSecrets:
        with moto.strict():
            rotator.check(task)
            task, pending = pending_of(task, rotator.create(task))
            rotator.set(task, pending)
            rotator.test(task, pending)
            rotator.undo(task, pending)


_NOTHING = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def test_by_an_admin_s_key_from_a_secret(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    moto.reset()
    moto.client("secretsmanager").create_secret(Name=ID, SecretString="before")
    id_, secret = moto.user()
    for name, value in variables(moto.address, "AKIAUNKNOWNUNKNOWNUN", "unknown").items():
        monkeypatch.setenv(name, value)
    rotator = AwsSecrets()
    task = task_for(rotator)
    with moto.strict():
        refused(DeniedError, rotator.check, task)
        rotator.check(replace(task, secrets={"admin": SecretValue(f"{id_}:{secret}".encode())}))


def test_a_value_is_in_no_log(secrets: Any, caplog: pytest.LogCaptureFixture) -> None:  # noqa: ANN401
    assert now(secrets) == "before"
    with caplog.at_level(logging.DEBUG):
        for name in ("boto3", "botocore", "urllib3"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        task = task_for(AwsSecrets())
        task, pending = pending_of(task, AwsSecrets().create(task))
        AwsSecrets().set(task, pending)
        with pytest.raises(RefusedError):
            AwsSecrets().test(task, Held(SecretValue(b"hunter2-wrong"), CURRENT))
    assert pending.value.reveal().decode() not in caplog.text
    assert "hunter2" not in caplog.text
