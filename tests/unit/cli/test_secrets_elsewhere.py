"""Secrets in other backends, through the front door: env and file need no server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Openclaw, Result

Main = Callable[..., Result]


def records(tmp_path: Path) -> list[dict[str, object]]:
    lines = (tmp_path / "state" / "audit" / "trail.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_reference_works_where_a_name_does(
    main: Main, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAR_KEY", "from the environment")
    assert main("secrets", "get", "env://FAR_KEY", check=0).out == b"from the environment"
    assert records(tmp_path)[-1]["backend"] == "env"


def test_a_bare_name_is_looked_for_in_order(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    main("secrets", "set", "HERE", input=b"local", check=0)
    monkeypatch.setenv("OPENCLAW_BACKEND", "env, local")
    monkeypatch.setenv("THERE", "env")
    assert main("secrets", "get", "THERE", check=0).out == b"env"
    assert main("secrets", "get", "HERE", check=0).out == b"local"
    main("secrets", "get", "NOWHERE", check=3)


def test_a_fallback_answers_and_says_where_it_was(main: Main) -> None:
    main("secrets", "set", "KEY", input=b"local", check=0)
    done = main("secrets", "get", "env://KEY", "--fallback", "local", "--json", check=0)
    assert (done.json()["value"], done.json()["backend"]) == ("local", "local")


def test_run_takes_secrets_from_several_backends(
    openclaw: Openclaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    openclaw("secrets", "set", "key", input=b"here", check=0)
    monkeypatch.setenv("FAR_KEY", "there")
    line = ("--env", "A=key", "--env", "B=env://FAR_KEY", "--no-mask", "--", "sh", "-c")
    done = openclaw("secrets", "run", *line, 'printf "%s-%s" "$A" "$B"', check=0)
    assert done.out == b"here-there"


def test_list_shows_the_backends_that_are_set_side_by_side(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAR_KEY", "there")
    main("secrets", "set", "key", input=b"here", check=0)
    settings = tmp_path / "state" / "settings.toml"
    settings.write_text('[backends.env]\nprefix = "FAR_"\n')
    settings.chmod(0o600)
    listed = main("secrets", "list", "--columns", "name,backend", check=0).out
    assert listed.split() == b"NAME BACKEND key local KEY env".split()
    assert main("secrets", "list", "--backend", "env").out.split()[-1] == b"ok"


def test_a_read_only_backend_is_not_written(main: Main) -> None:
    assert b"cannot be written" in main("secrets", "set", "env://KEY", input=b"v", check=2).err
    assert b"cannot delete" in main("secrets", "delete", "env://KEY", check=2).err


def test_a_change_elsewhere_has_two_records(main: Main, tmp_path: Path) -> None:
    root = tmp_path / "keys"
    root.mkdir(0o700)
    settings = tmp_path / "state" / "settings.toml"
    (tmp_path / "state").mkdir(0o700)
    settings.write_text(f'[backends.file]\nroot = "{root}"\n')
    settings.chmod(0o600)
    main("secrets", "set", "file://key", input=b"value", check=0)
    assert main("secrets", "get", "file://key").out == b"value"
    changes = [each for each in records(tmp_path) if each["kind"] == "secret_set"]
    assert [each["outcome"] for each in changes] == ["intent", "ok"]
    assert changes[1]["announced"] == changes[0]["seq"]
    main("secrets", "audit", "verify", check=0)


def test_a_provider_that_is_a_backend_means_the_backend(main: Main) -> None:
    done = main("secrets", "create", "key", "--provider", "env", input=b"v", check=2)
    assert b"the env backend cannot be written" in done.err


def test_copy_to_another_backend_reads_back_and_can_be_started_again(
    main: Main, tmp_path: Path
) -> None:
    root = tmp_path / "keys"
    root.mkdir(0o700)
    for name in ("a", "b"):
        main("secrets", "set", name, input=name.encode(), check=0)
    settings = tmp_path / "state" / "settings.toml"
    settings.write_text(f'[backends.file]\nroot = "{root}"\n')
    settings.chmod(0o600)
    line = ("secrets", "copy", "--all", "--to", "file")
    assert b"would be copied" in main(*line, "--dry-run", check=0).err
    assert list(root.iterdir()) == []
    main(*line, check=0)
    assert (root / "a").read_bytes() == b"a"
    assert main(*line, check=0).err.count(b"already there") == 2
    main("secrets", "set", "a", input=b"new", check=0)
    done = main(*line, check=8)
    assert b"another value" in done.err
    assert (root / "a").read_bytes() == b"a"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Set a program that gives the content of a file as the exec backend; return the file."""
    answer = tmp_path / "answer"
    answer.write_bytes(b"one")
    script = tmp_path / "give"
    script.write_text(f"#!/bin/sh\ncat {answer}\n")
    script.chmod(0o700)
    settings = tmp_path / "state" / "settings.toml"
    settings.parent.mkdir(0o700, exist_ok=True)
    settings.write_text(f'[backends.exec]\ncommand = "{script}"\nformat = "raw"\n')
    settings.chmod(0o600)
    return answer


def test_refresh_says_whether_the_value_changed(main: Main, program: Path) -> None:
    assert main("secrets", "get", "exec://key", check=0).out == b"one"
    assert b"is the same" in main("secrets", "refresh", "exec://key", check=0).err
    program.write_bytes(b"two")
    assert main("secrets", "get", "exec://key").out == b"one"
    assert b"has changed" in main("secrets", "refresh", "exec://key", check=0).err
    assert main("secrets", "get", "exec://key").out == b"two"


def test_a_copy_is_as_old_as_is_allowed(main: Main, program: Path) -> None:
    main("secrets", "get", "exec://key", check=0)
    program.write_bytes(b"two")
    assert main("secrets", "get", "exec://key", "--max-age", "1h").out == b"one"
    assert main("secrets", "get", "exec://key", "--no-cache").out == b"two"


@pytest.mark.usefixtures("program")
def test_offline_asks_nobody(main: Main) -> None:
    main("secrets", "get", "exec://key", "--offline", check=75)
    main("secrets", "get", "exec://key", check=0)
    assert main("secrets", "get", "exec://key", "--offline", check=0).out == b"one"


def test_what_is_on_this_machine_is_never_a_copy(
    main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAR_KEY", "one")
    main("secrets", "get", "env://FAR_KEY", check=0)
    monkeypatch.setenv("FAR_KEY", "two")
    assert main("secrets", "get", "env://FAR_KEY", check=0).out == b"two"


def test_an_unknown_backend_names_those_there_are(main: Main) -> None:
    assert b"known: env, file" in main("secrets", "get", "gcp://x", check=78).err


def test_the_offline_branch_of_the_articles_needs_no_vault(main: Main) -> None:
    main("secrets", "set", "ollama/gpt-oss-120b", input=b"v", check=0)
    assert main("secrets", "get", "vault://local/ollama/gpt-oss-120b", check=0).out == b"v"


def test_doctor_says_of_each_backend_how_it_is_and_what_would_mend_it(
    main: Main, program: Path
) -> None:
    settings = program.parent / "state" / "settings.toml"
    settings.write_text(settings.read_text() + f'[backends.file]\nroot = "{program.parent}/no"\n')
    done = main("doctor", "--json", check=10)
    checks = {each["name"]: each for each in done.json()["checks"]}
    assert checks["exec"]["state"] == "ok"
    assert checks["file"]["state"] == "bad"
    assert checks["file"]["hint"]


def test_a_field_of_a_name_that_leads_elsewhere_is_never_written_or_deleted(
    main: Main, tmp_path: Path
) -> None:
    (tmp_path / "db").write_text('{"user":"u","password":"p"}')
    (tmp_path / "db").chmod(0o600)
    state = tmp_path / "state"
    state.mkdir(0o700)
    (state / "openclaw.json").write_text(
        json.dumps({"externalSecrets": {"db": {"source": "file", "path": f"{tmp_path}/db"}}})
    )
    assert main("secrets", "get", "db#password", check=0).out == b"p"
    for line in (("set", "db#password"), ("delete", "db#password"), ("set", "db?version=1")):
        assert main("secrets", *line, input=b"new").status == 2
    assert json.loads((tmp_path / "db").read_text())["password"] == "p"


def test_a_denial_further_on_is_not_hidden_by_a_name_that_is_not_there(
    main: Main, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = program.parent / "give"
    script.write_text(
        "#!/bin/sh\ncat >/dev/null\n"
        'echo \'{"protocolVersion":1,"values":{},"errors":{"x":{"code":"DENIED"}}}\'\n'
    )
    settings = program.parent / "state" / "settings.toml"
    settings.write_text(f'[backends.exec]\ncommand = "{script}"\n')
    main("secrets", "set", "other", input=b"v", check=0)
    monkeypatch.setenv("OPENCLAW_BACKEND", "local,exec")
    main("secrets", "get", "x", check=6)


def test_a_misspelt_fallback_is_refused_before_it_is_needed(main: Main) -> None:
    main("secrets", "set", "key", input=b"v", check=0)
    main("secrets", "get", "key", "--fallback", "valut", check=78)


@pytest.mark.parametrize(
    "line",
    [
        ("--env", "A-B=key"),
        ("--env-file", "/nonexistent/.env"),
        ("--allow-missing", "--env", "A-B=key"),
    ],
)
def test_run_that_does_not_start_is_125(openclaw: Openclaw, line: tuple[str, ...]) -> None:
    openclaw("secrets", "set", "key", input=b"v", check=0)
    openclaw("secrets", "run", *line, "--", "true", check=125)


def test_the_programs_own_arguments_are_not_ours(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "key", input=b"v", check=0)
    done = openclaw("secrets", "run", "--allow-missing", "--env", "A-B=key", "--", "x", "--json")
    assert done.status == 125
    assert done.err.startswith(b"openclaw: ")


def test_a_version_of_thousands_of_digits_is_not_there(main: Main) -> None:
    main("secrets", "set", "key", input=b"v", check=0)
    main("secrets", "get", "key?version=" + "9" * 5000, check=3)
    main("secrets", "get", "env://x#\ud800", check=2)
