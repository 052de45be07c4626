"""C8, C10: AWS Secrets Manager as the backend of all names, and of one, over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Openclaw
from tests.integration.moto_server import Moto, variables

pytestmark = pytest.mark.integration

REGION = "ap-east-1"
C8 = """{"externalSecrets":
  {"provider": "aws-secrets-manager", "region": "ap-east-1", "cacheTTL": 300}}"""
C10 = """{"secrets": {
  "openai": {"provider": "external", "source": "secrets-manager", "rotation": "weekly"}}}"""


@pytest.fixture
def aws(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    moto.reset()
    for name, value in variables(moto.address).items():
        monkeypatch.setenv(name, value)
    return moto


def keep(aws: Moto, region: str, name: str, value: str) -> None:
    import boto3

    client = boto3.client(
        "secretsmanager",
        region_name=region,
        endpoint_url=aws.address,
        aws_access_key_id="by",
        aws_secret_access_key="hand",
    )
    client.create_secret(Name=name, SecretString=value)


def written(tmp_path: Path, text: str) -> Path:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "openclaw.json").write_text(text)
    return state


def test_c8_every_name_is_looked_for_in_that_region(
    openclaw: Openclaw, aws: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION")
    written(tmp_path, C8)
    keep(aws, REGION, "openai-api-key", "sk-by-hand")
    keep(aws, "eu-west-1", "elsewhere", "of another region")
    assert openclaw("secrets", "get", "openai-api-key", check=0).out == b"sk-by-hand"
    openclaw("secrets", "get", "elsewhere", check=3)
    listed = openclaw("secrets", "list", "--columns", "name,backend", check=0).out.split()
    assert listed[2:] == b"openai-api-key aws-secrets-manager".split()


def test_c8_a_copy_is_good_for_that_long(openclaw: Openclaw, aws: Moto, tmp_path: Path) -> None:
    written(tmp_path, C8)
    keep(aws, REGION, "openai-api-key", "sk-by-hand")
    openclaw("secrets", "get", "openai-api-key", check=0)
    aws.reset()
    done = openclaw("secrets", "get", "openai-api-key", "--json", check=0).json()
    assert done["value"] == "sk-by-hand"
    assert 0 <= done["age"] < 300
    openclaw("secrets", "get", "openai-api-key", "--no-cache", check=3)


def test_c8_what_is_set_is_kept_there(openclaw: Openclaw, aws: Moto, tmp_path: Path) -> None:
    del aws
    written(tmp_path, C8)
    openclaw("secrets", "set", "new-key", input=b"value", check=0)
    assert openclaw("secrets", "get", "aws-secrets-manager://new-key", check=0).out == b"value"
    openclaw("secrets", "get", "local://new-key", check=3)


def test_c10_one_name_lives_there_and_the_others_in_the_store(
    openclaw: Openclaw, aws: Moto, tmp_path: Path
) -> None:
    written(tmp_path, C10)
    keep(aws, "eu-west-1", "openai", "sk-by-hand")
    openclaw("secrets", "set", "other", input=b"here", check=0)
    assert openclaw("secrets", "get", "openai", check=0).out == b"sk-by-hand"
    assert openclaw("secrets", "get", "other", check=0).out == b"here"
    listed = openclaw("secrets", "list", "--columns", "name,backend,state", check=0).out.split()
    assert listed[3:] == b"other local ok openai aws-secrets-manager ok".split()
