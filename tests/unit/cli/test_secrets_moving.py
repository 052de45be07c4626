"""`openclaw secrets` import, export, copy, inject, run and list, through the front door."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Openclaw, Result

Main = Callable[..., Result]


@pytest.fixture
def dotenv(tmp_path: Path) -> str:
    path = tmp_path / ".env"
    path.write_bytes(b"FIRST=one\nSECOND='two $HOME'\nTHIRD=openclaw://elsewhere\n")
    return str(path)


def test_import_takes_values_over_and_leaves_references_alone(main: Main, dotenv: str) -> None:
    done = main("secrets", "import", dotenv, check=0)
    assert b"took over 2" in done.err
    assert b"left 1 alone" in done.err
    assert main("secrets", "get", "SECOND").out == b"two $HOME"
    main("secrets", "get", "THIRD", check=3)


def test_import_is_all_or_nothing_unless_told(main: Main, dotenv: str) -> None:
    main("secrets", "set", "FIRST", input=b"mine", check=0)
    assert b"--overwrite" in main("secrets", "import", dotenv, check=11).err
    main("secrets", "get", "SECOND", check=3)
    main("secrets", "import", dotenv, "--overwrite", check=0)
    assert main("secrets", "get", "FIRST").out == b"one"
    assert main("secrets", "get", "FIRST?version=1").out == b"mine"


def test_a_dry_run_imports_nothing(main: Main, dotenv: str) -> None:
    done = main("secrets", "import", dotenv, "--dry-run", check=0)
    assert done.out == b"new  FIRST\nnew  SECOND\n"
    assert main("secrets", "list", "--json").json()["secrets"] == []


def test_import_of_an_unknown_format_names_those_there_are(main: Main, tmp_path: Path) -> None:
    (tmp_path / "keys.bin").write_bytes(b"?")
    done = main("secrets", "import", str(tmp_path / "keys.bin"), check=2)
    assert b"dotenv, json" in done.err


@pytest.mark.parametrize("kind", ["json", "yaml", "toml", "kubernetes"])
def test_what_is_exported_is_imported_exactly(main: Main, tmp_path: Path, kind: str) -> None:
    values = {"a/b": b"plain", "c": b"line\nline\n", "d": "ü{{x}}".encode()}
    for name, value in values.items():
        main("secrets", "set", name, "--verbatim", input=value, check=0)
    out = tmp_path / "out"
    if kind == "kubernetes":
        main("secrets", "delete", "a/b", "--purge", "--yes", check=0)
        del values["a/b"]
    main("secrets", "export", "--all", "--format", kind, "--out", str(out), check=0)
    assert out.stat().st_mode & 0o777 == 0o600
    main("secrets", "import", str(out), "--format", kind, "--prefix", "again/", check=0)
    for name, value in values.items():
        assert main("secrets", "get", f"again/{name}").out == value


def test_export_does_not_replace_a_file_unless_told(main: Main, tmp_path: Path) -> None:
    main("secrets", "set", "key", input=b"v", check=0)
    (tmp_path / "out").write_text("mine")
    main("secrets", "export", "key", "--out", str(tmp_path / "out"), check=11)
    assert (tmp_path / "out").read_text() == "mine"
    assert sorted(each.name for each in tmp_path.iterdir() if "new" in each.name) == []
    main("secrets", "export", "key", "--out", str(tmp_path / "out"), "--force", check=0)


def test_export_uses_the_variable_of_the_provider(main: Main) -> None:
    main("secrets", "create", "openai-api-key", "--provider", "openai", input=b"x", check=0)
    assert main("secrets", "export", "--all").out == b"OPENAI_API_KEY=x\n"


def test_export_of_nothing_in_particular_is_refused(main: Main) -> None:
    assert b"--all" in main("secrets", "export", check=2).err


def test_copy_keeps_the_value_and_the_provider(main: Main) -> None:
    main("secrets", "create", "a", "--provider", "openai", input=b"x", check=0)
    main("secrets", "copy", "a", "b", check=0)
    assert main("secrets", "get", "b").out == b"x"
    assert main("secrets", "list", "--json").json()["secrets"][1]["provider"] == "openai"
    assert b"already there" in main("secrets", "copy", "a", "b", check=0).err
    main("secrets", "set", "a", input=b"y", check=0)
    main("secrets", "copy", "a", "b", check=11)
    main("secrets", "copy", "a", "b", "--overwrite", check=0)
    assert main("secrets", "get", "b").out == b"y"


def test_inject_fills_a_template_and_leaves_the_rest(main: Main) -> None:
    main("secrets", "set", "key", input=b"{{ openclaw://key }}\xff", check=0)
    done = main("secrets", "inject", input=b"{{ .x }} {{ local://key }}!", check=0)
    assert done.out == b"{{ .x }} {{ openclaw://key }}\xff!"


def test_inject_of_a_missing_secret_writes_nothing(main: Main, tmp_path: Path) -> None:
    main("secrets", "set", "key", input=b"v", check=0)
    out = tmp_path / "filled"
    main("secrets", "inject", "--out", str(out), input=b"{{ local://no }}", check=3)
    assert not out.exists()


def test_run_takes_an_env_file_with_references_and_literals(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    openclaw("secrets", "set", "key", input=b"the value", check=0)
    (tmp_path / ".env").write_text("A=openclaw://key\nB=plain\n")
    script = 'printf "%s-%s" "${#A}" "$B"'
    done = openclaw(
        "secrets", "run", "--env-file", str(tmp_path / ".env"), "--", "sh", "-c", script
    )
    assert (done.out, done.status) == (b"9-plain", 0)


def test_run_by_pattern_uses_the_usual_variables(openclaw: Openclaw) -> None:
    openclaw("secrets", "create", "prod/openai-api-key", "--provider", "openai", input=b"abcd")
    done = openclaw(
        "secrets", "run", "--secret", "prod/*", "--", "sh", "-c", "echo $OPENAI_API_KEY"
    )
    assert done.out == b"[openclaw:prod/openai-api-key]\n"


def test_run_without_a_secret_that_may_be_missing(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "key", input=b"value", check=0)
    line = ("secrets", "run", "--env", "A=key", "--env", "B=nothing")
    assert openclaw(*line, "--", "true").status == 3
    done = openclaw(*line, "--allow-missing", "--", "sh", "-c", "echo ${B-unset}")
    assert (done.out, done.status) == (b"unset\n", 0)
    assert b"nothing was not there" in done.err


def test_list_filters_sorts_and_chooses_columns(main: Main) -> None:
    for name in ("b/one", "a/two"):
        main("secrets", "set", name, input=b"v", check=0)
    assert main("secrets", "list", "--columns", "name").out == b"NAME\na/two\nb/one\n"
    assert b"b/one" not in main("secrets", "list", "--filter", "a/*").out
    assert main("secrets", "list", "--sort", "age", "--columns", "name").out.endswith(b"a/two\n")
    main("secrets", "list", "--sort", "colour", check=2)


def test_list_says_what_a_file_refers_to_and_is_not_there(main: Main, dotenv: str) -> None:
    assert main("secrets", "list", "--missing", dotenv, check=0).out == b"elsewhere\n"


def test_export_for_github_masks_first_and_then_sets_the_variables(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    openclaw("secrets", "set", "API_KEY", input=b"one\ntwo", check=0)
    variables = tmp_path / "github-env"
    variables.write_bytes(b"BEFORE=1\n")
    done = openclaw(
        "secrets", "export", "--format", "github", "API_KEY", env={"GITHUB_ENV": str(variables)}
    )
    assert done.status == 0
    assert b"::add-mask::one\n" in done.out
    assert variables.read_bytes().startswith(b"BEFORE=1\nAPI_KEY<<")
    assert openclaw("secrets", "export", "--format", "github", "API_KEY").status == 2
