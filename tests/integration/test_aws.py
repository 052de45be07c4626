"""The backends of AWS on moto, over HTTP, and before servers that misbehave."""

from __future__ import annotations

import json
import logging
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from openclaw_cli.backends.aws_parameter_store import ParameterStoreBackend
from openclaw_cli.backends.aws_secrets_manager import SecretsManagerBackend
from openclaw_cli.errors import (
    ConfigError,
    ConflictError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.model import CURRENT, PENDING, PREVIOUS, RETIRED, Secret, SecretValue
from openclaw_cli.testing.backends import (
    BINARIES,
    TEXTS,
    BatchedContract,
    CheckableContract,
    DeletableContract,
    ListableContract,
    VersionedContract,
)
from tests.hostile_http import BEHAVIOURS, HostileServer
from tests.integration.moto_server import ACCOUNT, REGION, Moto, policy, variables

pytestmark = pytest.mark.integration

Aws = SecretsManagerBackend | ParameterStoreBackend
Kept = Any  # what the contract asks for
BACKENDS: tuple[type[Aws], ...] = (SecretsManagerBackend, ParameterStoreBackend)
CANARY = b"hunter2-canary-7d1f9c"


SetAws = Callable[..., None]


@pytest.fixture
def set_aws(monkeypatch: pytest.MonkeyPatch) -> SetAws:
    """Give what sets Amazon's variables: an address, a key."""

    def set_(*arguments: str) -> None:
        for name, value in variables(*arguments).items():
            monkeypatch.setenv(name, value)

    return set_


@pytest.fixture
def aws(moto: Moto, set_aws: SetAws) -> Moto:
    """Give moto, empty, and let Amazon's variables lead to it."""
    moto.reset()
    set_aws(moto.address)
    return moto


def revealed(found: Mapping[str, Secret | OpenclawError]) -> dict[str, bytes]:
    """Return what must all be secrets as their bytes."""
    shown = {}
    for path, one in found.items():
        assert isinstance(one, Secret), (path, one)
        shown[path] = one.value.reveal()
    return shown


@pytest.fixture(params=BACKENDS, ids=lambda each: each.__module__.rpartition(".")[2])
def kind(request: pytest.FixtureRequest) -> type[Aws]:
    chosen: type[Aws] = request.param
    return chosen


class TestSecretsManager(
    BatchedContract, DeletableContract, ListableContract, VersionedContract, CheckableContract
):
    unfit = (b"x" * (64 * 1024 + 1),)

    @pytest.fixture
    def backend(self, aws: Moto) -> SecretsManagerBackend:
        """Give one without recovery: moto, not AWS, writes to a secret that is to be deleted."""
        del aws
        return SecretsManagerBackend({"recovery-days": 0})

    def test_the_versions_of_what_is_not_there_are_not_found(self, backend: Kept) -> None:
        """Moto crashes where AWS answers so."""
        with HostileServer("html") as server, pytest.MonkeyPatch.context() as patched:
            answer(server, {"ListSecretVersionIds": [(400, {"__type": ABSENT})]})
            patched.setenv("AWS_ENDPOINT_URL", server.address)
            super().test_the_versions_of_what_is_not_there_are_not_found(backend)


class TestParameterStore(
    BatchedContract, DeletableContract, ListableContract, VersionedContract, CheckableContract
):
    values = (*(text for text in TEXTS if len(text) <= 4096), b"x" * 4096)
    unfit = (*BINARIES, b"x" * 4097)

    @pytest.fixture
    def backend(self, aws: Moto) -> ParameterStoreBackend:
        del aws
        return ParameterStoreBackend({})


# What other tools see, and what they wrote.


def test_text_is_a_text_for_others_too_and_the_rest_is_binary(aws: Moto) -> None:
    backend = SecretsManagerBackend({})
    backend.put("text", SecretValue(b"gr\xc3\xbc\xc3\x9fe"))
    backend.put("bytes", SecretValue(b"\xff\x00"))
    client = aws.client("secretsmanager")
    assert client.get_secret_value(SecretId="text")["SecretString"] == "grüße"
    assert client.get_secret_value(SecretId="bytes")["SecretBinary"] == b"\xff\x00"


def test_what_others_wrote_is_read(aws: Moto) -> None:
    client = aws.client("secretsmanager")
    client.create_secret(Name="prod/db", SecretString='{"password": "hunter2"}')
    assert SecretsManagerBackend({}).get("prod/db", field="password").value.reveal() == b"hunter2"
    client = aws.client("ssm")
    client.put_parameter(Name="/app/plain", Value="one,two", Type="StringList")
    client.put_parameter(Name="/app/secure", Value="hunter2", Type="SecureString")
    backend = ParameterStoreBackend({"prefix": "/app/"})
    assert backend.get("plain").value.reveal() == b"one,two"
    assert backend.get("secure").value.reveal() == b"hunter2"


def test_a_parameter_is_a_secure_string_under_the_prefix(aws: Moto) -> None:
    ParameterStoreBackend({}).put("team/db", SecretValue(b"hunter2"))
    found = aws.client("ssm").get_parameter(Name="/openclaw/team/db")["Parameter"]
    assert found["Type"] == "SecureString"
    assert found["Value"] != "hunter2"


def test_a_prefix_is_of_the_names_there_and_not_of_ours(aws: Moto) -> None:
    backend = SecretsManagerBackend({"prefix": "openclaw/"})
    backend.put("team/db", SecretValue(b"hunter2"))
    aws.client("secretsmanager").create_secret(Name="another", SecretString="x")
    assert aws.client("secretsmanager").get_secret_value(SecretId="openclaw/team/db")
    assert backend.names() == ["team/db"]


def test_the_stages_of_aws_are_ours(aws: Moto) -> None:
    backend = SecretsManagerBackend({})
    for value in (b"first", b"second", b"third"):
        backend.put("db", SecretValue(value))
    aws.client("secretsmanager").put_secret_value(
        SecretId="db", SecretString="fourth", VersionStages=["AWSPENDING"]
    )
    assert [version.stage for version in backend.versions("db")] == [
        PENDING,
        CURRENT,
        PREVIOUS,
        RETIRED,
    ]
    for word, value in {
        None: b"third",
        "current": b"third",
        "previous": b"second",
        "AWSPREVIOUS": b"second",
        "pending": b"fourth",
    }.items():
        assert backend.get("db", version=word).value.reveal() == value


def test_a_promoted_version_is_the_one_that_is_read(aws: Moto) -> None:
    backend = SecretsManagerBackend({})
    old = backend.put("db", SecretValue(b"old"))
    client = aws.client("secretsmanager")
    new = client.put_secret_value(SecretId="db", SecretString="new", VersionStages=["AWSPENDING"])[
        "VersionId"
    ]
    backend.put("other", SecretValue(b"other"))
    client.update_secret_version_stage(
        SecretId="db", VersionStage="AWSCURRENT", MoveToVersionId=new, RemoveFromVersionId=old.id
    )
    assert backend.get("db").value.reveal() == b"new"
    assert revealed(backend.get_many(["db", "other"]))["db"] == b"new"


def test_a_deleted_secret_can_be_restored_by_others_and_by_writing(aws: Moto) -> None:
    backend = SecretsManagerBackend({"recovery-days": 7})
    first = backend.put("db", SecretValue(b"first"))
    assert backend.delete("db")
    with pytest.raises(NotFoundError) as deleted:
        backend.get("db")
    assert deleted.value.hint == "aws secretsmanager restore-secret --secret-id db"
    aws.client("secretsmanager").restore_secret(SecretId="db")
    assert backend.get("db").value.reveal() == b"first"
    assert backend.get("db", version=first.id).value.reveal() == b"first"


def test_without_recovery_nothing_is_left(aws: Moto) -> None:
    backend = SecretsManagerBackend({"recovery-days": 0})
    backend.put("db", SecretValue(b"first"))
    assert backend.delete("db") is True
    assert backend.delete("db") is False
    listed = aws.client("secretsmanager").list_secrets(IncludePlannedDeletion=True)
    assert listed["SecretList"] == []


def test_a_parameter_keeps_eight_kib_in_the_advanced_tier(aws: Moto) -> None:
    backend = ParameterStoreBackend({"tier": "advanced"})
    backend.put("long", SecretValue(b"x" * 8192))
    with pytest.raises(RefusedError):
        backend.put("long", SecretValue(b"x" * 8193))
    listed = aws.client("ssm").describe_parameters()["Parameters"]
    assert [each["Tier"] for each in listed] == ["Advanced"]


@pytest.mark.usefixtures("aws")
def test_a_key_of_kms_is_used_where_one_is_named() -> None:
    with pytest.raises(OpenclawError):
        ParameterStoreBackend({"tier": "golden"})
    secrets = SecretsManagerBackend({"kms-key-id": "alias/ours"})
    secrets.put("db", SecretValue(b"x"))
    parameters = ParameterStoreBackend({"kms-key-id": "alias/ours"})
    parameters.put("db", SecretValue(b"x"))
    assert parameters.get("db").value.reveal() == b"x"


def test_the_key_of_kms_is_seen_there(aws: Moto) -> None:
    SecretsManagerBackend({"kms-key-id": "alias/ours"}).put("db", SecretValue(b"x"))
    ParameterStoreBackend({"kms-key-id": "alias/ours"}).put("db", SecretValue(b"x"))
    secret = aws.client("secretsmanager").describe_secret(SecretId="db")
    assert secret["KmsKeyId"] == "alias/ours"
    parameter = aws.client("ssm").describe_parameters()["Parameters"][0]
    assert parameter["KeyId"] == "alias/ours"


# Names.


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    "path",
    ["with space", "per%cent", "grüße", "a:3", "arn:aws:secretsmanager:eu-west-1:1:secret:x"],
)
def test_a_name_that_aws_does_not_know_is_refused_here(kind: type[Aws], path: str) -> None:
    with pytest.raises(UsageError):
        kind({}).get(path)


@pytest.mark.usefixtures("aws")
def test_names_of_parameters_have_more_rules() -> None:
    for path in ("/".join("abcdefghijklmnop"), "at@sign"):
        with pytest.raises(UsageError):
            ParameterStoreBackend({}).get(path)
    with pytest.raises(UsageError):
        ParameterStoreBackend({"prefix": "/"}).get("aws/ours")
    for prefix in ("", "openclaw/", "/openclaw"):
        with pytest.raises(ConfigError):
            ParameterStoreBackend({"prefix": prefix})


# Many at once.


@pytest.mark.usefixtures("aws")
def test_more_than_a_batch_holds_are_answered(kind: type[Aws]) -> None:
    backend = kind({})
    paths = [f"many/{number}" for number in range(45)]
    for path in paths[:-1]:
        backend.put(path, SecretValue(path.encode()))
    found = backend.get_many(paths)
    last = found.pop(paths[-1])
    assert isinstance(last, NotFoundError)
    assert revealed(found) == {path: path.encode() for path in paths[:-1]}


@pytest.mark.usefixtures("aws")
def test_writers_of_different_secrets_at_once_lose_nothing(kind: type[Aws]) -> None:
    backend = kind({})
    paths = [f"writers/{number}" for number in range(16)]
    with ThreadPoolExecutor(8) as writers:
        list(writers.map(lambda path: backend.put(path, SecretValue(path.encode())), paths))
    found = backend.get_many(paths)
    assert revealed(found) == {path: path.encode() for path in paths}


# Who may.

READS = {
    SecretsManagerBackend: (
        '{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", '
        f'"Resource": "arn:aws:secretsmanager:{REGION}:*:secret:db-??????"}}'
    ),
    ParameterStoreBackend: (
        '{"Effect": "Allow", "Action": "ssm:GetParameter", '
        f'"Resource": "arn:aws:ssm:{REGION}:*:parameter/openclaw/db"}}'
    ),
}
ONLY_STS = policy('{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}')


def test_what_a_policy_forbids_is_denied_and_the_hint_allows_it(
    aws: Moto,
    set_aws: SetAws,
    kind: type[Aws],
) -> None:
    kind({}).put("db", SecretValue(CANARY))
    set_aws(aws.address, *aws.user(ONLY_STS))
    with aws.strict(), pytest.raises(DeniedError) as denied:
        kind({}).get("db")
    assert denied.value.hint.endswith("an IAM policy that would: " + READS[kind])
    # Moto does not hold the resources of these services against a policy.
    statement = {**json.loads(READS[kind]), "Resource": "*"}
    set_aws(aws.address, *aws.user(policy(json.dumps(statement))))
    with aws.strict():
        assert kind({}).get("db").value.reveal() == CANARY


def test_where_batches_are_forbidden_each_is_asked_for_by_itself(
    aws: Moto,
    set_aws: SetAws,
    kind: type[Aws],
) -> None:
    for path in ("a", "b"):
        kind({}).put(path, SecretValue(path.encode()))
    statement = {**json.loads(READS[kind]), "Resource": "*"}
    set_aws(aws.address, *aws.user(policy(json.dumps(statement))))
    with aws.strict():
        found = kind({}).get_many(["a", "b", "c"])
    assert isinstance(found.pop("c"), NotFoundError)
    assert revealed(found) == {"a": b"a", "b": b"b"}


def test_each_method_says_what_is_denied(
    aws: Moto,
    set_aws: SetAws,
    kind: type[Aws],
) -> None:
    set_aws(aws.address, *aws.user(ONLY_STS))
    backend = kind({})
    tries: tuple[Callable[[], object], ...] = (
        lambda: backend.put("db", SecretValue(CANARY)),
        lambda: backend.delete("db"),
        backend.names,
        lambda: backend.versions("db"),
    )
    with aws.strict():
        for try_ in tries:
            with pytest.raises(DeniedError) as denied:
                try_()
            assert '"Effect": "Allow"' in denied.value.hint
            assert CANARY.decode() not in denied.value.message + denied.value.hint
        found = backend.get_many(["a", "b"])
    assert all(isinstance(each, DeniedError) for each in found.values())


def test_an_unknown_key_and_a_wrong_secret_are_denied_with_how_to_sign_in(
    aws: Moto,
    set_aws: SetAws,
    kind: type[Aws],
) -> None:
    known, _ = aws.user()
    for key, secret in (("AKIAUNKNOWN", "x"), (known, "wrong")):
        set_aws(aws.address, key, secret)
        with aws.strict(), pytest.raises(DeniedError) as denied:
            kind({}).get("db")
        assert "aws sts get-caller-identity" in denied.value.hint
        with aws.strict():
            health = kind({}).check()
        assert health.reachable
        assert not health.identity
        assert "aws sso login" in health.problems[-1][1]
        assert secret not in str(health.problems).split()


def test_check_says_who_we_are_and_what_is_refused(
    aws: Moto,
    set_aws: SetAws,
    kind: type[Aws],
) -> None:
    health = kind({}).check()
    assert health.reachable
    assert health.identity.startswith("arn:aws:")
    assert f":{ACCOUNT}:" in health.identity
    assert REGION in health.detail
    assert not health.problems
    set_aws(aws.address, *aws.user(ONLY_STS))
    with aws.strict():
        health = kind({}).check()
    assert health.reachable
    assert ":user/" in health.identity
    assert len(health.problems) == 2
    for problem, mend in health.problems:
        assert "does not allow" in problem
        assert json.loads(mend.partition("would: ")[2])["Effect"] == "Allow"


def test_check_without_a_key_or_a_server_is_unreachable_and_says_why(
    kind: type[Aws],
    monkeypatch: pytest.MonkeyPatch,
    set_aws: SetAws,
) -> None:
    monkeypatch.setenv("AWS_REGION", REGION)
    health = kind({}).check()
    assert not health.reachable
    assert "aws sso login" in health.problems[0][1]
    set_aws("http://127.0.0.1:1")
    health = kind({}).check()
    assert not health.reachable
    assert "cannot be reached at http://127.0.0.1:1" in health.problems[0][0]


# How one signs in.


def test_without_a_key_nothing_is_asked_and_the_answer_is_denied(
    kind: type[Aws], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    began = time.monotonic()
    with pytest.raises(DeniedError, match="no AWS credentials were found"):
        kind({}).get("db")
    assert time.monotonic() - began < 2


def test_without_a_region_the_settings_are_wrong(
    aws: Moto, kind: type[Aws], monkeypatch: pytest.MonkeyPatch
) -> None:
    del aws
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(ConfigError, match="no AWS region") as absent:
        kind({}).get("db")
    assert "region" in absent.value.hint


def test_the_region_of_the_settings_wins_then_that_of_the_variables(
    aws: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    del aws
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    there = SecretsManagerBackend({})
    there.put("db", SecretValue(b"by AWS_REGION"))
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(NotFoundError):
        SecretsManagerBackend({}).get("db")
    assert SecretsManagerBackend({"region": REGION}).get("db").value.reveal() == b"by AWS_REGION"


@pytest.mark.parametrize("region", ["x.evil.example/", "a b", "eu-west-1@evil"])
def test_a_region_that_would_be_another_host_is_refused(
    aws: Moto, kind: type[Aws], region: str
) -> None:
    del aws
    with pytest.raises(ConfigError, match="not an AWS region"):
        kind({"region": region}).get("db")


def test_a_profile_of_the_settings_wins_over_the_variables(
    aws: Moto,
    set_aws: SetAws,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key, secret = aws.user()
    folder = tmp_path / "home" / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(
        f"[ours]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
    )
    (folder / "config").write_text(f"[profile ours]\nregion = {REGION}\n")
    set_aws(aws.address, "AKIAUNKNOWN", "x")
    monkeypatch.delenv("AWS_REGION")
    with aws.strict():
        assert ":user/" in SecretsManagerBackend({"profile": "ours"}).check().identity
        with pytest.raises(NotFoundError):
            SecretsManagerBackend({"profile": "ours"}).get("db")


def test_a_profile_that_is_not_there_is_a_wrong_setting(aws: Moto, kind: type[Aws]) -> None:
    del aws
    with pytest.raises(ConfigError, match="profile does not exist"):
        kind({"profile": "nobody"}).get("db")


@pytest.mark.usefixtures("aws")
def test_a_role_is_taken_on_with_its_external_id() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/reader"
    backend = SecretsManagerBackend(
        {"role-arn": role, "external-id": "x-1", "role-session-name": "laptop"}
    )
    backend.put("db", SecretValue(b"hunter2"))
    assert backend.get("db").value.reveal() == b"hunter2"
    health = backend.check()
    assert health.identity == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/laptop"
    assert "assume-role" in health.detail


def test_a_role_that_one_may_not_take_on_says_which_policy_would(
    aws: Moto,
    set_aws: SetAws,
    kind: type[Aws],
) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/reader"
    set_aws(aws.address, *aws.user(ONLY_STS))
    with aws.strict(), pytest.raises(DeniedError) as denied:
        kind({"role-arn": role}).get("db")
    assert denied.value.hint.endswith(
        f'{{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "{role}"}}'
    )


@pytest.mark.usefixtures("aws")
def test_a_program_for_the_key_that_never_ends_is_not_waited_for(
    kind: type[Aws], tmp_path: Path
) -> None:
    folder = tmp_path / "home" / ".aws"
    folder.mkdir()
    (folder / "config").write_text("[profile slow]\ncredential_process = sleep 4\n")
    began = time.monotonic()
    with pytest.raises(TemporaryError):
        kind({"profile": "slow", "timeout": 0.5}).get("db")
    assert time.monotonic() - began < 2


def test_a_profile_that_wants_a_code_asks_nobody(kind: type[Aws], tmp_path: Path) -> None:
    folder = tmp_path / "home" / ".aws"
    folder.mkdir()
    (folder / "config").write_text(
        "[profile careful]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = base\n"
        "mfa_serial = arn:aws:iam::1:mfa/x\n"
        "[profile deeper]\nrole_arn = arn:aws:iam::1:role/y\nsource_profile = careful\n"
        "[profile base]\naws_access_key_id = x\naws_secret_access_key = y\n"
    )
    with pytest.raises(DeniedError, match="wants a code"):
        kind({"profile": "careful", "region": REGION}).get("db")
    with pytest.raises(DeniedError, match="wants a code"):
        kind({"profile": "deeper", "region": REGION}).get("db")


def test_an_endpoint_that_would_show_values_is_refused(
    kind: type[Aws],
    set_aws: SetAws,
) -> None:
    set_aws("http://192.0.2.1:4566")
    with pytest.raises(ConfigError, match="not encrypted"):
        kind({}).get("db")
    for address in ("http://169.254.169.254", "https://[fd00:ec2::254]"):
        set_aws(address)
        with pytest.raises(ConfigError, match="metadata"):
            kind({"plain-http": True}).get("db")


def test_the_endpoint_of_the_settings_wins(aws: Moto, set_aws: SetAws) -> None:
    set_aws("http://127.0.0.1:1")
    backend = SecretsManagerBackend({"endpoint": aws.address})
    backend.put("db", SecretValue(b"x"))
    assert backend.get("db").value.reveal() == b"x"


# Servers that misbehave, and one that says what it is told to.

ABSENT = "ResourceNotFoundException"
Answers = dict[str, list[tuple[int, dict[str, Any]]]]


def target(request: bytes) -> str:
    """Return the action that a request asks for."""
    found = re.search(rb"(?i)x-amz-target: \w+\.(\w+)", request)
    assert found
    return found[1].decode()


def answer(server: HostileServer, answers: Answers) -> None:
    """Make a server give to each action its answers in turn, the last of them for ever."""

    def behave(server: HostileServer, connection: socket.socket) -> None:
        waiting = answers[target(server.requests[-1])]
        status, content = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        body = json.dumps(content).encode()
        head = (
            f"HTTP/1.1 {status} x\r\nContent-Type: application/x-amz-json-1.1\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        server.send(connection, head.encode() + body)

    server._behave = behave  # noqa: SLF001 - a behaviour of this test alone


SLOW = ("drip-body", "drip-head", "hang")
ENDS: dict[str, type[OpenclawError] | tuple[type[OpenclawError], ...]] = {
    **dict.fromkeys(BEHAVIOURS, TemporaryError),
    "redirect": RefusedError,
    "huge": (RefusedError, TemporaryError),  # of a busy machine
    "packed": TemporaryError,
    "403-echo": DeniedError,
    "400-echo": RefusedError,
}


@pytest.mark.parametrize("behaviour", sorted(BEHAVIOURS))
def test_a_server_that_misbehaves_ends_in_time_in_bounds_and_in_the_right_error(
    kind: type[Aws],
    behaviour: str,
    set_aws: SetAws,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    for library in ("botocore", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=library)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with HostileServer("html") as other, HostileServer(behaviour, to=other.address) as server:
        set_aws(server.address, "AKIATESTING", "the-secret-key")
        seconds = 0.8 if behaviour in SLOW else 4
        backend = kind({"timeout": seconds, "retries": 1})
        tries: tuple[Callable[[], object], ...] = (
            lambda: backend.get("db"),
            lambda: backend.put("db", SecretValue(CANARY)),
            backend.names,
            lambda: backend.versions("db"),
        )
        for try_ in tries:
            began = time.monotonic()
            with pytest.raises(ENDS[behaviour]) as ended:
                try_()
            assert time.monotonic() - began < seconds + 1.5
            told = ended.value.message + ended.value.hint
            assert "hunter2" not in told
        many = backend.get_many(["a", "b"])
        assert all(isinstance(each, ENDS[behaviour]) for each in many.values())
        assert not other.requests
    assert "hunter2" not in caplog.text
    assert "the-secret-key" not in caplog.text
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


@pytest.mark.parametrize("behaviour", ["503", "429", "nothing"])
def test_what_changes_nothing_is_tried_again_and_no_more_than_that(
    kind: type[Aws],
    behaviour: str,
    set_aws: SetAws,
) -> None:
    with HostileServer(behaviour) as server:
        set_aws(server.address)
        with pytest.raises(TemporaryError):
            kind({"timeout": 5}).get("db")
        assert len(server.requests) == 3
        server.requests.clear()
        with pytest.raises(TemporaryError):
            kind({"timeout": 5, "retries": 0}).get("db")
        assert len(server.requests) == 1


@pytest.mark.parametrize(("behaviour", "requests"), [("503", 1), ("nothing", 1), ("429", 3)])
def test_a_parameter_is_not_written_twice_unless_nothing_was_done(
    behaviour: str,
    requests: int,
    set_aws: SetAws,
) -> None:
    with HostileServer(behaviour) as server:
        set_aws(server.address)
        with pytest.raises(TemporaryError):
            ParameterStoreBackend({"timeout": 5}).put("db", SecretValue(b"x"))
        assert len(server.requests) == requests


def test_a_secret_is_written_again_with_the_same_token(set_aws: SetAws) -> None:
    with HostileServer("503") as server:
        set_aws(server.address)
        with pytest.raises(TemporaryError):
            SecretsManagerBackend({"timeout": 5}).put("db", SecretValue(b"x"))
        bodies = [json.loads(each.partition(b"\r\n\r\n")[2]) for each in server.requests]
        assert len(bodies) == 3
        assert len({body["ClientRequestToken"] for body in bodies}) == 1


def test_writing_restores_a_secret_that_was_to_be_deleted(set_aws: SetAws) -> None:
    wrong = (400, {"__type": "InvalidRequestException", "message": "marked for deletion"})
    right = (200, {"VersionId": "v" * 32})
    with HostileServer("html") as server:
        answer(server, {"PutSecretValue": [wrong, right], "RestoreSecret": [(200, {})]})
        set_aws(server.address)
        assert SecretsManagerBackend({}).put("db", SecretValue(b"x")).id == "v" * 32
        asked = [target(request) for request in server.requests]
    assert asked == ["PutSecretValue", "RestoreSecret", "PutSecretValue"]


def test_of_two_that_create_a_secret_the_later_adds_a_version(set_aws: SetAws) -> None:
    with HostileServer("html") as server:
        answer(
            server,
            {
                "PutSecretValue": [(400, {"__type": ABSENT}), (200, {"VersionId": "v" * 32})],
                "CreateSecret": [(400, {"__type": "ResourceExistsException"})],
            },
        )
        set_aws(server.address)
        assert SecretsManagerBackend({}).put("db", SecretValue(b"x")).id == "v" * 32


def test_one_that_others_create_and_delete_all_the_time_is_a_conflict(
    set_aws: SetAws,
) -> None:
    with HostileServer("html") as server:
        answer(
            server,
            {
                "PutSecretValue": [(400, {"__type": ABSENT})],
                "CreateSecret": [(400, {"__type": "ResourceExistsException"})],
            },
        )
        set_aws(server.address)
        with pytest.raises(ConflictError):
            SecretsManagerBackend({}).put("db", SecretValue(b"x"))


def test_a_list_of_several_pages_ends(set_aws: SetAws) -> None:
    page = (200, {"SecretList": [{"Name": "a"}, {"Name": "../b"}], "NextToken": "more"})
    with HostileServer("html") as server:
        answer(server, {"ListSecrets": [page, (200, {"SecretList": [{"Name": "c"}]})]})
        set_aws(server.address)
        assert SecretsManagerBackend({}).names() == ["a", "c"]


def test_a_batch_gives_only_what_it_was_asked_for_and_what_is_current(
    set_aws: SetAws,
) -> None:
    old = {"Name": "a", "SecretString": "old", "VersionId": "1", "VersionStages": ["AWSPREVIOUS"]}
    odd = {"Name": "x", "SecretString": "hunter2", "VersionId": "1"}
    new = {"Name": "a", "SecretString": "new", "VersionId": "2", "VersionStages": ["AWSCURRENT"]}
    with HostileServer("html") as server:
        answer(
            server,
            {
                "BatchGetSecretValue": [
                    (200, {"SecretValues": [old, odd], "Errors": [{"SecretId": "b"}]})
                ],
                "GetSecretValue": [(200, new)],
            },
        )
        set_aws(server.address)
        found = SecretsManagerBackend({"threads": 1}).get_many(["a", "b"])
    assert set(found) == {"a", "b"}
    assert revealed(found) == {"a": b"new", "b": b"new"}


# What AWS says, by its codes. Moto cannot be made to say most of them.

CODES = {
    "ResourceNotFoundException": NotFoundError,
    "ParameterNotFound": NotFoundError,
    "AccessDeniedException": DeniedError,
    "ExpiredTokenException": DeniedError,
    "UnrecognizedClientException": DeniedError,
    "InvalidSignatureException": DeniedError,
    "RequestExpired": DeniedError,
    "ThrottlingException": TemporaryError,
    "TooManyUpdates": TemporaryError,
    "InternalServiceError": TemporaryError,
    "InternalServerError": TemporaryError,
    "ValidationException": RefusedError,
    "DecryptionFailure": RefusedError,
    "SomethingNew": RefusedError,
}


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_kind_of_error(
    kind: type[Aws],
    code: str,
    set_aws: SetAws,
) -> None:
    refusal = [(400, {"__type": code, "message": "hunter2"})]
    with HostileServer("html") as server:
        answer(server, {"GetSecretValue": refusal, "GetParameter": refusal})
        set_aws(server.address)
        with pytest.raises(CODES[code]) as refused:
            kind({"retries": 0}).get("db")
    assert "hunter2" not in refused.value.message + refused.value.hint
    assert refused.value.hint or CODES[code] is not DeniedError


# What is never said or loaded.


def test_no_value_is_in_a_log_whatever_fails(
    aws: Moto, kind: type[Aws], caplog: pytest.LogCaptureFixture
) -> None:
    del aws
    for library in (None, "botocore", "botocore.endpoint", "botocore.parsers", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=library)
    backend = kind({})
    backend.put("db", SecretValue(CANARY))
    backend.put("db", SecretValue(CANARY + b"2"))
    backend.get_many(["db", "other"])
    with pytest.raises(NotFoundError):
        backend.get("other")
    assert "canary" not in caplog.text


def test_a_backend_is_described_without_loading_the_library() -> None:
    statement = (
        "import sys\n"
        "from openclaw_cli.backends.aws_secrets_manager import SecretsManagerBackend\n"
        "from openclaw_cli.backends.aws_parameter_store import ParameterStoreBackend\n"
        "SecretsManagerBackend({}); ParameterStoreBackend({'region': 'eu-west-1'})\n"
        "print(sorted({'boto3', 'botocore', 'urllib3', 'jmespath'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, check=True)
    assert done.stdout == b"[]\n"


def test_without_the_library_the_answer_is_how_to_install_it(kind: type[Aws]) -> None:
    statement = (
        "import sys\nsys.modules['botocore'] = None\n"
        f"from {kind.__module__} import {kind.__name__} as backend\n"
        "from openclaw_cli.errors import ConfigError\n"
        "try:\n    backend({'region': 'eu-west-1'}).get('db')\n"
        "except ConfigError as missing:\n    print(missing.message, missing.hint, sep='|')"
    )
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, check=True)
    assert b"needs the boto3 package|pip install" in done.stdout


def test_the_page_has_every_setting_and_says_what_it_is(kind: type[Aws]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "backends" / "aws.md").read_text()
    for setting in kind.SETTINGS:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{setting.name}` |"))
        assert setting.meaning in page, row
