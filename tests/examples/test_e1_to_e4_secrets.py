"""E1 to E4: the commands of the articles about keeping and reading a key, as they are typed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.conftest import Openclaw


def shell(line: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["bash", "-c", line], capture_output=True, check=False)


def test_e1_a_value_on_the_command_line_works_and_warns() -> None:
    done = shell(
        'openclaw secrets create --name="openai-api-key" --value="sk-xxx" --provider="openai"'
    )
    assert done.returncode == 0
    assert b"can be read by others" in done.stderr
    assert b"openclaw secrets set openai-api-key" in done.stderr
    assert b"sk-xxx" not in done.stderr


def test_e1_the_value_is_encrypted_and_labelled_with_its_provider(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    shell('openclaw secrets create --name="openai-api-key" --value="sk-xxx" --provider="openai"')
    (secret,) = openclaw("secrets", "list", "--json", check=0).json()["secrets"]
    assert (secret["name"], secret["provider"]) == ("openai-api-key", "openai")
    for file in (tmp_path / "state").rglob("*"):
        assert not file.is_file() or b"sk-xxx" not in file.read_bytes()


def test_e2_get_gives_the_exact_bytes_and_nothing_else() -> None:
    shell('openclaw secrets create --name="openai-api-key" --value="sk-xxx"')
    done = shell('key=$(openclaw secrets get --name="openai-api-key"); printf "<%s>" "$key"')
    assert (done.stdout, done.stderr) == (b"<sk-xxx>", b"")


def test_e4_list_never_shows_a_value(openclaw: Openclaw) -> None:
    openclaw("secrets", "create", "--name=openai-api-key", "--value=sk-xxx", "--provider=openai")
    done = openclaw("secrets", "list", check=0)
    header, row = done.out.decode().splitlines()
    assert header.split() == [
        "NAME",
        "PROVIDER",
        "BACKEND",
        "VERSION",
        "AGE",
        "NEXT",
        "ROTATION",
        "STATE",
    ]
    assert row.split() == ["openai-api-key", "openai", "local", "1", "0s", "-", "ok"]
