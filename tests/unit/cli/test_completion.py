"""`openclaw completion`, and the names it asks for at each press of Tab."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_cli.changes import Changes
from openclaw_cli.cli import completion, tree
from openclaw_cli.cli.offer import names
from openclaw_cli.model import SecretValue
from scripts import generate
from tests.conftest import Result

Main = Callable[..., Result]
ROOT = Path(__file__).parents[3]
VALUE = b"canary-11ab"


@pytest.fixture
def kept(main: Main) -> None:
    for name in ("openai-api-key", "openai/main", "team:db", "gone"):
        main("secrets", "create", name, input=VALUE, check=0)
    main("secrets", "delete", "gone", check=0)


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_script_is_printed_as_it_is_kept(main: Main, shell: str) -> None:
    done = main("completion", shell, check=0)
    assert done.out == (ROOT / "completions" / f"openclaw.{shell}").read_bytes()
    assert b"scripts/generate.py" in done.out


def test_a_shell_that_we_do_not_have_is_refused_with_those_we_have(main: Main) -> None:
    assert b"openclaw completion bash (or zsh, fish)" in main("completion", "tcsh", check=2).err


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_every_command_is_in_the_script(shell: str) -> None:
    script = (ROOT / "completions" / f"openclaw.{shell}").read_text()
    for name, (where, _) in tree.TOP.items():
        assert name in script
        for below in where if isinstance(where, dict) else ():
            assert below.startswith("__") or f"{name} {below}" in script


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("slow", [False, True])
def test_names_are_given_by_prefix_and_never_a_value(
    main: Main, slow: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if slow:
        monkeypatch.setenv("OPENCLAW_NO_HOT", "1")
    before = (tmp_path / "state" / "audit" / "trail.jsonl").read_bytes()
    assert main("secrets", "__names", "open", check=0).out == b"openai-api-key\nopenai/main\n"
    assert main("secrets", "__names", "team:", check=0).out == b"team:db\n"
    assert main("secrets", "__names", check=0).out.count(b"\n") == 3
    assert main("secrets", "__names", "zzz", check=0).out == b""
    assert (tmp_path / "state" / "audit" / "trail.jsonl").read_bytes() == before


@pytest.mark.usefixtures("kept")
def test_what_the_env_file_refers_to_is_wanted(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(
        b"A=openclaw://stripe/live\nB='local://team:db' # x\nC=openclaw://x?version=2\n\xff=\xfe"
    )
    assert main("secrets", "__names", "--wanted", check=0).out.split() == [
        b"openai-api-key",
        b"openai/main",
        b"stripe/live",
        b"team:db",
        b"x",
    ]
    assert b"stripe" not in main("secrets", "__names", check=0).out


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("slow", [False, True])
def test_a_locked_or_damaged_store_offers_nothing_and_says_nothing(
    main: Main, slow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if slow:
        monkeypatch.setenv("OPENCLAW_NO_HOT", "1")
    key = tmp_path / "state" / "secrets" / "key"
    text = key.read_bytes()
    key.unlink()
    assert main("secrets", "__names", check=0) == Result(0, b"", b"")
    key.write_bytes(text)
    store = tmp_path / "state" / "secrets" / "store.oc"
    store.write_bytes(store.read_bytes()[:-1])
    assert main("secrets", "__names", check=0) == Result(0, b"", b"")


def test_without_a_store_nothing_is_offered_and_none_is_made(main: Main, tmp_path: Path) -> None:
    assert main("secrets", "__names", check=0).out == b""
    assert not (tmp_path / "state").exists()


def test_many_names_are_cut_at_what_a_shell_can_show(changes: Changes) -> None:
    changes.set_many({f"n{number:04}": SecretValue(VALUE) for number in range(1200)})
    assert len(names(changes._secrets, "", wanted=False)) == 1000  # noqa: SLF001
    assert names(changes._secrets, "n1199", wanted=False) == ["n1199"]  # noqa: SLF001


def test_help_does_not_show_what_only_scripts_call(main: Main) -> None:
    assert b"__names" not in main("secrets", "--help", check=0).out


def test_names_are_given_without_a_heavy_import() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "from openclaw_cli.cli.hot import main\n"
        "main(['secrets', '__names', 'a'])\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert {"typer", "rich", "re", "json", "typing"}.isdisjoint(done.stdout.split())


def test_a_generated_file_that_differs_or_is_left_over_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    assert generate.main(["--check"]) == 1
    assert not (tmp_path / "man").exists()
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    capsys.readouterr()
    (tmp_path / "man" / "openclaw.1").write_text("old")
    (tmp_path / "man" / "openclaw-gone.1").write_text("of a command that went away")
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out.splitlines()[:2] == [
        "not what the program says: man/openclaw.1",
        "not what the program says: man/openclaw-gone.1",
    ]
    assert generate.main([]) == 0
    assert not (tmp_path / "man" / "openclaw-gone.1").exists()
    assert generate.main(["--check"]) == 0


@pytest.mark.integration
def test_the_manual_pages_are_good_roff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    generate.main([])
    pages = sorted((tmp_path / "man").iterdir())
    assert len(pages) == len(tree.TOP) + 1
    for page in pages:
        done = subprocess.run(
            ["man", "--warnings", "--local-file", str(page)],
            capture_output=True,
            check=True,
            env={"PATH": os.defpath, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"},
        )
        assert done.stderr == b"", page
        assert b"openclaw" in done.stdout
