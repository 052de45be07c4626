"""An access key is rotated on moto, which checks keys, signatures and policies meanwhile."""

from __future__ import annotations

import json
import logging
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from openclaw_cli.errors import (
    ConfigError,
    ConflictError,
    DeniedError,
    OpenclawError,
    TemporaryError,
)
from openclaw_cli.model import CURRENT, PREVIOUS, SecretValue
from openclaw_cli.rotation.rotator import Held, Task, checked
from openclaw_cli.rotation.rotators.aws_iam import AwsIam, policy
from openclaw_cli.testing.rotators import TOKEN, Accepts, ProviderContract, pending_of, promoted
from tests.hostile_http import HostileServer
from tests.integration.moto_server import REGION, Moto, variables
from tests.integration.rotations import refused
from tests.lossy_proxy import LossyProxy

pytestmark = pytest.mark.integration

PAIR = re.compile(r"(AKIA[A-Z0-9]{16}).*?([A-Za-z0-9+/]{40})", re.DOTALL)


class NotYet(LossyProxy):
    """Moto behind somebody who has not heard of the newest key yet, for two requests."""

    refusals = 0

    def talk(self, client: socket.socket) -> None:
        if self.refusals == 2:
            super().talk(client)
            return
        with client:
            client.recv(64 * 1024)
            self.refusals += 1
            body = (
                b"<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>"
                b"<Message>hunter2</Message></Error></ErrorResponse>"
            )
            head = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/xml\r\nConnection: close\r\n"
            client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


class Account:
    """One user in moto, which checks who asks for what; and somebody who looks on."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._looking = moto.user()
        self._clients: dict[str, Any] = {}
        iam = moto.client("iam")
        self.user = f"user-{time.monotonic_ns()}"
        iam.create_user(UserName=self.user)
        self.allow(policy(self.user))
        made = iam.create_access_key(UserName=self.user)["AccessKey"]
        self.key = made["AccessKeyId"], made["SecretAccessKey"]

    def allow(self, document: str) -> None:
        """Replace what the user may do; before moto is strict."""
        iam = self._moto.client("iam")
        iam.put_user_policy(UserName=self.user, PolicyName="its", PolicyDocument=in_moto(document))

    def client(self, service: str, key: tuple[str, str] | None = None) -> Any:  # noqa: ANN401
        import boto3

        id_, secret = key or self._looking
        if id_ + service not in self._clients:
            self._clients[id_ + service] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=self._moto.address,
                aws_access_key_id=id_,
                aws_secret_access_key=secret,
            )
        return self._clients[id_ + service]

    def accepts(self, value: SecretValue) -> bool:
        from botocore.exceptions import ClientError

        found = PAIR.search(value.reveal().decode())
        assert found
        try:
            self.client("sts", (found[1], found[2])).get_caller_identity()
        except ClientError:
            return False
        return True

    def ids(self) -> list[str]:
        listed = self.client("iam").list_access_keys(UserName=self.user)["AccessKeyMetadata"]
        return [each["AccessKeyId"] for each in listed]

    @property
    def value(self) -> str:
        """The key as `aws iam create-access-key --query AccessKey` writes it."""
        id_, secret = self.key
        return json.dumps(
            {"UserName": self.user, "AccessKeyId": id_, "SecretAccessKey": secret}, indent=4
        )


@pytest.fixture
def account(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Give a user; Amazon's variables lead to moto, with a key that nobody has."""
    moto.reset()
    for name, value in variables(moto.address, "AKIAAROUNDAROUNDAROU", "unknown").items():
        monkeypatch.setenv(name, value)
    made = Account(moto)
    with moto.strict():
        yield made


def in_moto(document: str) -> str:
    """Return the policy for any resource: moto does not tell one user of IAM from another."""
    return re.sub(r'"Resource": "[^"]*"', '"Resource": "*"', document)


def task_for(value: str, *, admin: str = "", **settings: str) -> Task:
    return Task(
        "aws-key",
        TOKEN,
        time.time(),
        (Held(SecretValue(value.encode()), CURRENT),),
        checked(
            {name.replace("_", "-"): each for name, each in settings.items()},
            AwsIam.SETTINGS,
            "aws-iam",
        ),
        {"admin": SecretValue(admin.encode())} if admin else {},
    )


def later(task: Task) -> Task:
    """Return the task as if all keys there are had been made long before."""
    return replace(task, began=time.time() + 3600)


@pytest.fixture
def rotator() -> AwsIam:
    return AwsIam()


class IamContract(ProviderContract):
    @pytest.fixture
    def rotator(self) -> AwsIam:
        return AwsIam()

    @pytest.fixture
    def accepts(self, account: Account) -> Accepts:
        return account.accepts

    @pytest.fixture
    def live(self, account: Account) -> Callable[[], int]:
        return lambda: len(account.ids())


class TestAKeyThatReplacesItself(IamContract):
    @pytest.fixture
    def task(self, account: Account) -> Task:
        return task_for(account.value)

    def test_the_form_stays(self, rotator: AwsIam, task: Task, account: Account) -> None:
        new = json.loads(rotator.create(task).value.reveal())
        assert list(new) == ["UserName", "AccessKeyId", "SecretAccessKey"]
        assert new["AccessKeyId"] != account.key[0]


class TestByAnAdminInAnotherForm(IamContract):
    @pytest.fixture
    def task(self, account: Account, moto: Moto) -> Task:
        account.allow(policy("any").replace("iam:", "s3:"))
        iam = moto.client("iam")
        iam.create_user(UserName="rotator")
        iam.put_user_policy(
            UserName="rotator", PolicyName="its", PolicyDocument=in_moto(policy("any"))
        )
        admin = iam.create_access_key(UserName="rotator")["AccessKey"]
        id_, secret = account.key
        return task_for(
            f"[default]\naws_access_key_id = {id_}\naws_secret_access_key = {secret}\n",
            admin=f"{admin['AccessKeyId']}:{admin['SecretAccessKey']}",
            user=account.user,
        )

    def test_a_leaked_key_is_revoked_before_there_is_another(
        self, rotator: AwsIam, task: Task, account: Account
    ) -> None:
        assert task.current
        rotator.revoke(task, task.current)
        assert account.ids() == []
        made = rotator.create(task)
        assert account.ids() == [made.handle]

    @pytest.fixture
    def account(self, moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Account:
        moto.reset()
        for name, value in variables(moto.address, "AKIAAROUNDAROUNDAROU", "unknown").items():
            monkeypatch.setenv(name, value)
        return Account(moto)

    @pytest.fixture(autouse=True)
    def _strict(self, task: Task, moto: Moto) -> Iterator[None]:  # noqa: ARG002 - made before
        with moto.strict():
            yield


def test_a_key_of_somebody_else_s_is_named_and_left_alone(
    rotator: AwsIam, account: Account
) -> None:
    other = account.client("iam").create_access_key(UserName=account.user)["AccessKey"]
    task = later(task_for(account.value))
    said = refused(ConflictError, rotator.check, task)
    assert other["AccessKeyId"] in said.message
    assert said.hint.endswith(other["AccessKeyId"])
    refused(ConflictError, rotator.create, task)
    assert sorted(account.ids()) == sorted([account.key[0], other["AccessKeyId"]])


def test_a_young_key_that_somebody_uses_is_left_alone(rotator: AwsIam, account: Account) -> None:
    other = account.client("iam").create_access_key(UserName=account.user)["AccessKey"]
    key = other["AccessKeyId"], other["SecretAccessKey"]
    account.client("iam", key).list_access_keys()
    refused(ConflictError, rotator.create, task_for(account.value))
    assert key[0] in account.ids()


def test_while_the_one_before_is_not_revoked_there_is_no_room(
    rotator: AwsIam, account: Account
) -> None:
    task, _ = pending_of(task_for(account.value), rotator.create(task_for(account.value)))
    task, _ = promoted(task)
    said = refused(ConflictError, rotator.check, later(task))
    assert "not revoked yet" in said.message


def test_a_lost_reply_leaves_no_key_that_nobody_has(
    rotator: AwsIam, account: Account, moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LossyProxy(moto.port) as way:
        monkeypatch.setenv("AWS_ENDPOINT_URL", way.address)
        task = task_for(account.value)
        way.lose(b"Action=CreateAccessKey")
        refused(TemporaryError, rotator.create, task)
        assert (way.lost, len(account.ids())) == (1, 2)
        made = rotator.create(task)
        assert sorted(account.ids()) == sorted([account.key[0], made.handle])
        for mark in (b"Action=UpdateAccessKey", b"Action=DeleteAccessKey"):
            way.lose(mark)  # these are sent again at once: nothing changes by that
        done, old = promoted(pending_of(task, made)[0])
        rotator.revoke(done, old)
        assert account.ids() == [made.handle]
        assert way.lost == 2


def test_killed_between_switching_off_and_deleting_it_deletes(
    rotator: AwsIam, account: Account
) -> None:
    task, _ = pending_of(task_for(account.value), rotator.create(task_for(account.value)))
    done, old = promoted(task)
    account.client("iam").update_access_key(
        UserName=account.user, AccessKeyId=account.key[0], Status="Inactive"
    )
    rotator.revoke(done, old)
    assert account.key[0] not in account.ids()


@pytest.mark.parametrize(
    "missing",
    ["iam:ListAccessKeys", "iam:UpdateAccessKey", "iam:DeleteAccessKey", "iam:CreateAccessKey"],
)
def test_a_missing_right_is_said_before_anything_changed_with_the_policy(
    rotator: AwsIam, moto: Moto, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    moto.reset()
    for name, value in variables(moto.address).items():
        monkeypatch.setenv(name, value)
    account = Account(moto)
    less = json.loads(policy(account.user))
    less["Statement"][0]["Action"].remove(missing)
    account.allow(json.dumps(less))
    with moto.strict():
        task = task_for(account.value)

        def begin() -> None:
            rotator.check(task)
            rotator.create(task)

        said = refused(DeniedError, begin)
        assert missing in said.message
        assert account.ids() == [account.key[0]]
    account.allow(said.hint)
    with moto.strict():
        begin()


def test_the_policy_names_what_is_needed() -> None:
    allowed = json.loads(policy("ada"))["Statement"]
    assert allowed[0]["Resource"] == "arn:aws:iam::*:user/ada"


def test_a_key_is_tried_until_all_of_aws_has_heard_of_it(
    rotator: AwsIam, account: Account, moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = account.client("iam").create_access_key(UserName=account.user)["AccessKey"]
    value = f"{made['AccessKeyId']}:{made['SecretAccessKey']}"
    with NotYet(moto.port) as way:
        monkeypatch.setenv("AWS_ENDPOINT_URL", way.address)
        rotator.test(task_for(account.value), Held(SecretValue(value.encode()), ""))
    assert way.refusals == 2


@pytest.mark.parametrize(
    "value",
    ["", "x", "AKIA" + "A" * 16, "s" * 40, f"ASIA{'A' * 16}:{'s' * 40}", "\udcff"]
    + [
        f"{one}:{'s' * 40} {two}:{'s' * 40}"
        for one, two in [("AKIA" + "A" * 16, "AKIA" + "B" * 16)]
    ],
)
def test_what_is_no_access_key_is_said_before_anything_is_asked(
    rotator: AwsIam, value: str
) -> None:
    held = Held(SecretValue(value.encode(errors="surrogateescape")), CURRENT)
    said = refused(ConfigError, rotator.check, replace(task_for("x"), held=(held,)))
    assert "aws-key" in said.message


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sign_in": "magic"}, "own or environment"),
        ({"endpoint": "http://example.com"}, "not encrypted"),
        ({"endpoint": "http://169.254.169.254"}, "metadata"),
        ({"profile": "nobody"}, "profile does not exist"),
        ({"region": "../x"}, "not an AWS region"),
        ({"user": "", "sign_in": "environment"}, "a user that is named"),
    ],
)
def test_settings_that_cannot_work_are_said(
    rotator: AwsIam, account: Account, settings: dict[str, str], words: str
) -> None:
    task = task_for(account.value, **{"user": account.user, **settings})
    assert words in refused(ConfigError, rotator.check, task).message
    assert len(account.ids()) == 1


def test_a_key_that_aws_does_not_know_is_said(rotator: AwsIam, account: Account) -> None:
    unknown = f"AKIA{'Z' * 16}:{'s' * 40}"
    refused(DeniedError, rotator.check, task_for(unknown))
    assert len(account.ids()) == 1


@pytest.mark.parametrize("behaviour", ["html", "json-empty", "hang", "reset", "500", "403-echo"])
def test_whatever_answers_ends_in_an_error_of_ours_in_time(
    rotator: AwsIam, behaviour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HostileServer(behaviour) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        value = f"AKIA{'Z' * 16}:{'hunter2/' * 5}"
        task = replace(task_for(value, user="ada"), deadline=time.monotonic() + 2)
        started = time.monotonic()
        for work in (rotator.check, rotator.create):
            said = refused(OpenclawError, work, task)
            assert "hunter2" not in said.message + said.hint
        assert time.monotonic() - started < 20
        assert not server.saw(b"hunter2/hunter2")


def test_a_key_is_in_no_log(
    rotator: AwsIam, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for name in ("boto3", "botocore", "urllib3"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        task = task_for(account.value)
        made = rotator.create(task)
        rotator.test(task, Held(made.value, PREVIOUS))
    found = PAIR.search(made.value.reveal().decode())
    assert found
    for each in (found[2], account.key[1]):
        assert each not in caplog.text
