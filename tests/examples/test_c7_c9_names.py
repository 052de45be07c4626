"""C7, C9, C20: names in `openclaw.json` that lead to where the value is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Openclaw, Result

Main = Callable[..., Result]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Make a file as `openssl rand -base64 32 > FILE; chmod 600` does."""
    path = tmp_path / "openai.key"
    path.write_text("sk-from-a-file\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def c7(state: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_API_KEY", "sk-ant-from-a-variable")
    document = {
        "externalSecrets": {
            "claude-api-key": {"source": "env", "key": "CLAUDE_API_KEY"},
            "openai-api-key": {"source": "file", "path": str(key)},
        }
    }
    (state / "openclaw.json").write_text(json.dumps(document, indent=2))


def records(state: Path) -> list[dict[str, object]]:
    lines = (state / "audit" / "trail.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.usefixtures("c7")
def test_c7_a_name_gives_the_value_of_where_it_leads(openclaw: Openclaw, state: Path) -> None:
    for _ in range(2):
        done = openclaw("secrets", "get", "--name", "claude-api-key", check=0)
        assert (done.out, done.err) == (b"sk-ant-from-a-variable", b"")
        assert openclaw("secrets", "get", "openai-api-key", check=0).out == b"sk-from-a-file"
    last = records(state)[-1]
    assert (last["name"], last["backend"], last["outcome"]) == ("openai-api-key", "file", "ok")


@pytest.mark.usefixtures("c7")
def test_c7_a_file_that_others_can_read_is_refused(main: Main, state: Path, key: Path) -> None:
    key.chmod(0o644)
    done = main("secrets", "get", "openai-api-key", check=6)
    assert b"others can read" in done.err
    assert b"chmod 600" in done.err
    assert records(state)[-1]["outcome"] == "denied"
    assert records(state)[-1]["backend"] == "file"


@pytest.mark.usefixtures("c7")
def test_c7_what_is_not_there_is_said_and_recorded(
    main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLAUDE_API_KEY")
    assert b"CLAUDE_API_KEY is not set" in main("secrets", "get", "claude-api-key", check=3).err


@pytest.mark.usefixtures("c7")
def test_c7_names_are_listed_and_explained(main: Main, state: Path) -> None:
    listed = main("secrets", "list", "--columns", "name,backend,state", check=0).out.split()
    assert listed[3:] == b"claude-api-key env ok openai-api-key file ok".split()
    found = main("secrets", "list", "--json", check=0).json()["secrets"]
    assert found[0] == {"name": "claude-api-key", "backend": "env", "state": "ok"}
    shown = main("config", "show", "--origin", check=0).out.decode()
    assert f"{state}/openclaw.json:3" in shown
    explained = main("config", "check", "--explain", check=0).out.decode()
    assert "openclaw.json:3: the secret claude-api-key is env://CLAUDE_API_KEY" in explained
    status = main("secrets", "status", "claude-api-key", "--json", check=0).json()
    assert status["reference"] == "env://CLAUDE_API_KEY"


@pytest.mark.usefixtures("c7")
def test_a_name_works_in_run_and_for_the_gateway(openclaw: Openclaw) -> None:
    line = (
        "secrets",
        "run",
        "--no-mask",
        "--env",
        "K=claude-api-key",
        "--",
        "sh",
        "-c",
        'echo "$K"',
    )
    assert openclaw(*line, check=0).out == b"sk-ant-from-a-variable\n"
    request = {"protocolVersion": 1, "provider": "x", "ids": ["claude-api-key"]}
    done = openclaw("secrets", "resolve", input=json.dumps(request).encode(), check=0)
    assert done.json()["values"] == {"claude-api-key": "sk-ant-from-a-variable"}


@pytest.mark.usefixtures("c7")
def test_a_shell_completes_a_name_of_the_configuration(main: Main) -> None:
    assert main("secrets", "__names", "cl", check=0).out == b"claude-api-key\n"


@pytest.mark.usefixtures("c7")
def test_a_name_of_the_configuration_is_not_missing(main: Main, tmp_path: Path) -> None:
    wanted = tmp_path / "wanted.env"
    wanted.write_text("A=openclaw://claude-api-key\nB=local://claude-api-key\nC=openclaw://c\n")
    done = main("secrets", "list", "--missing", str(wanted), check=0)
    assert done.out.split() == [b"c", b"claude-api-key"]
    wanted.write_text("A=openclaw://claude-api-key\n")
    assert main("secrets", "list", "--missing", str(wanted), check=0).out == b""


@pytest.mark.usefixtures("c7")
def test_a_backend_of_the_command_line_wins_over_the_name(main: Main) -> None:
    main("secrets", "get", "claude-api-key", "--backend", "local", check=3)
    assert main("secrets", "get", "local://claude-api-key").status == 3


def test_c9_a_variable_of_the_configuration_is_where_run_puts_it(
    openclaw: Openclaw, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHERE_IT_IS", "sk-ant-value")
    text = """{"externalSecrets": {"anthropic": {"apiKey": {
      "source": "env://WHERE_IT_IS", "cacheDuration": "1h", "rotationPolicy": "daily",
      "envVar": "ANTHROPIC_API_KEY"}}}}"""
    (state / "openclaw.json").write_text(text)
    shell = ("--no-mask", "--", "sh", "-c", 'echo "$ANTHROPIC_API_KEY"')
    for option in (("--env", "anthropic/apiKey"), ("--secret", "anthropic/*")):
        done = openclaw("secrets", "run", *option, *shell, check=0)
        assert done.out == b"sk-ant-value\n"
    exported = openclaw("secrets", "export", "anthropic/apiKey", check=0).out
    assert exported.startswith(b"ANTHROPIC_API_KEY=")


def test_c9_another_spelling_is_another_name_and_the_miss_suggests_it(
    main: Main, state: Path
) -> None:
    text = '{"externalSecrets": {"anthropic": {"apiKey": {"source": "env://A"}}}}'
    (state / "openclaw.json").write_text(text)
    done = main("secrets", "get", "anthropic/api-key", check=3)
    assert b"did you mean anthropic/apiKey?" in done.err


def test_c20_an_api_key_that_is_not_named_is_looked_for_where_the_group_is(
    main: Main, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (state / "openclaw.json").write_text(
        '{"secrets": {"api-keys": {"source": "env", "rotation": "weekly"}}}'
    )
    monkeypatch.setenv("DEEPSEEK_API_KEY", "in a variable")
    assert main("secrets", "get", "DEEPSEEK_API_KEY", check=0).out == b"in a variable"
    main("secrets", "set", "db-password", input=b"in the store", check=0)
    assert main("secrets", "get", "db-password", check=0).out == b"in the store"
    main("secrets", "get", "api-keys", check=3)


def test_a_wrong_spelling_is_refused_with_its_line_by_every_command(
    main: Main, state: Path
) -> None:
    (state / "openclaw.json").write_text('{"externalSecrets": {\n"a": {"source": "vualt"}}}')
    done = main("secrets", "get", "a", check=78)
    assert b"openclaw.json, line 2: " in done.err
    assert b"did you mean vault?" in done.err
