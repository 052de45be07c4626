"""Completion, typed at real shells: what stands on the line after a press of Tab."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

PATIENCE = 20  # seconds
REPORT = b"\x07"  # what the shells below answer with their line
CLEAR = b"\x05\x15"  # to the end of the line, and kill it
VALUE = b"sk-canary-7f3a"

BASH = r"""
PS1='READY> '
bind 'set bell-style none'
bind 'set enable-bracketed-paste off'
bind -x '"\C-g": echo; echo "LINE<$READLINE_LINE>"'
eval "$(openclaw completion bash)"
"""
ZSH = r"""
PS1='READY> '
unsetopt beep; unset zle_bracketed_paste
zstyle ':completion:*' insert-tab false
autoload -U compinit && compinit -u -D
report() { print; print -r -- "LINE<$BUFFER>"; zle redisplay }
zle -N report && bindkey '^G' report
eval "$(openclaw completion zsh)"
"""
ZSH_FILE = ZSH.replace("autoload", "fpath=($HOME/functions $fpath)\nautoload").replace(
    'eval "$(openclaw completion zsh)"', ""
)
SHELLS = {
    "bash": (["bash", "--noprofile", "--rcfile", "{rc}", "-i"], BASH),
    "zsh": (["zsh", "-d", "-i"], ZSH),
}


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, name: str, home: Path) -> None:
        command, rc = SHELLS.get(name, (SHELLS["zsh"][0], ZSH_FILE))
        file = home / ("bashrc" if name == "bash" else ".zshrc")
        file.write_text(rc)
        self.screen = b""
        self._person, inner = pty.openpty()
        self._process = subprocess.Popen(
            [word.replace("{rc}", str(file)) for word in command],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={**os.environ, "TERM": "xterm", "ZDOTDIR": str(home), "COLUMNS": "200"},
            cwd=home,
            start_new_session=True,
        )
        os.close(inner)
        self.until(b"READY> ")

    def until(self, wanted: bytes) -> bytes:
        start = len(self.screen)
        deadline = time.monotonic() + PATIENCE
        while wanted not in self.screen[start:]:
            assert time.monotonic() < deadline, (wanted, self.screen[-2000:])
            if select.select([self._person], [], [], 0.1)[0]:
                self.screen += os.read(self._person, 65536)
        return self.screen[start:]

    def completed(self, typed: str, tabs: int = 1) -> str:
        """Type something and Tab; return what then stands on the line."""
        os.write(self._person, typed.encode() + b"\t" * tabs + REPORT)
        shown = self.until(b">\r\n")
        os.write(self._person, CLEAR)
        found = re.findall(rb"LINE<(.*?)>\r\n", shown)
        return str(found[-1].decode())

    def listed(self, typed: str) -> str:
        """Type something and Tab twice; return all that the shell wrote."""
        start = len(self.screen)
        self.completed(typed, tabs=2)
        return self.screen[start:].decode(errors="replace")

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._person)


@pytest.fixture
def kept(openclaw: Callable[..., object]) -> None:
    for name in ("anthropic-api-key", "team:prod:db", "team:test:db", "openai/main"):
        openclaw("secrets", "create", name, input=VALUE, check=0)


@pytest.fixture(params=sorted(SHELLS))
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    request.getfixturevalue("kept")
    started = Shell(request.param, tmp_path / "home")
    yield started
    assert VALUE not in started.screen
    started.close()


def test_commands_options_and_names_are_completed_and_no_value_is_shown(shell: Shell) -> None:
    assert shell.completed("openclaw sec") == "openclaw secrets "
    assert shell.completed("openclaw secrets rollb") == "openclaw secrets rollback "
    assert shell.completed("openclaw status --verb") == "openclaw status --verbose "
    assert shell.completed("openclaw secrets get anth") == (
        "openclaw secrets get anthropic-api-key "
    )
    assert shell.completed("openclaw secrets get --clip open") == (
        "openclaw secrets get --clip openai/main "
    )
    assert shell.completed("openclaw config set unlock.") == "openclaw config set unlock.seconds "


def test_names_with_colons_and_after_equals_signs_are_completed(shell: Shell) -> None:
    assert shell.completed("openclaw secrets get team:p") == "openclaw secrets get team:prod:db "
    assert shell.completed("openclaw secrets get --name anth") == (
        "openclaw secrets get --name anthropic-api-key "
    )
    assert shell.completed("openclaw secrets get --name=anth") == (
        "openclaw secrets get --name=anthropic-api-key "
    )
    assert shell.completed("openclaw secrets run --env X=team:t") == (
        "openclaw secrets run --env X=team:test:db "
    )
    assert shell.completed("openclaw secrets create n --generate=passph") == (
        "openclaw secrets create n --generate=passphrase "
    )


def test_several_names_are_listed(shell: Shell) -> None:
    listed = shell.listed("openclaw secrets get team:")
    assert "prod:db" in listed
    assert "test:db" in listed


def test_a_name_that_the_env_file_refers_to_is_offered_for_a_new_secret(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "home" / ".env").write_text("A=openclaw://stripe/live\n")
    assert shell.completed("openclaw secrets create str") == "openclaw secrets create stripe/live "
    assert shell.completed("openclaw secrets get str") == "openclaw secrets get str"


def test_files_and_programs_are_completed_where_they_belong(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "home" / "openclaw.json").write_text("{}")
    assert shell.completed("openclaw config check openc") == "openclaw config check openclaw.json "
    run = "openclaw secrets run --env X=openai/main -- "
    assert shell.completed(run + "uname") == run + "uname "


def test_a_locked_store_is_quiet(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "state" / "secrets" / "key").unlink()
    assert shell.completed("openclaw secrets get anth") == "openclaw secrets get anth"
    assert b"openclaw:" not in shell.screen


@pytest.mark.usefixtures("kept")
def test_the_zsh_script_works_as_a_file_too(tmp_path: Path) -> None:
    functions = tmp_path / "home" / "functions"
    functions.mkdir()
    with (functions / "_openclaw").open("wb") as file:
        subprocess.run(["openclaw", "completion", "zsh"], stdout=file, check=True)
    shell = Shell("zsh-file", tmp_path / "home")
    first = shell.completed("openclaw secrets get anth")
    second = shell.completed("openclaw secrets get team:p")
    shell.close()
    assert first == "openclaw secrets get anthropic-api-key "
    assert second == "openclaw secrets get team:prod:db "


def fish(line: str) -> list[str]:
    """Return what fish offers at the end of a line, without the descriptions."""
    script = f"openclaw completion fish | source; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], capture_output=True, check=True, timeout=60
    )
    assert done.stderr == b""
    assert VALUE not in done.stdout
    return [each.partition("\t")[0] for each in done.stdout.decode().splitlines()]


@pytest.mark.usefixtures("kept")
def test_fish_offers_commands_options_names_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("A=openclaw://stripe/live\n")
    (tmp_path / "openclaw.json").write_text("{}")
    assert fish("openclaw sec") == ["secrets"]
    assert fish("openclaw secrets rollb") == ["rollback"]
    assert fish("openclaw status --verb") == ["--verbose"]
    assert fish("openclaw secrets get anth") == ["anthropic-api-key"]
    assert fish("openclaw secrets get team:") == ["team:prod:db", "team:test:db"]
    assert fish("openclaw secrets get --name=anth") == ["--name=anthropic-api-key"]
    assert fish("openclaw secrets run --env X=team:t") == ["X=team:test:db"]
    assert fish("openclaw secrets create str") == ["stripe/live"]
    assert fish("openclaw config check openc") == ["openclaw.json"]
    assert fish("openclaw completion f") == ["fish"]
    assert fish("openclaw secrets run -- unam") == ["uname"]


@pytest.mark.usefixtures("kept")
def test_fish_says_what_a_command_does_and_is_quiet_when_locked(tmp_path: Path) -> None:
    script = "openclaw completion fish | source; complete -C 'openclaw secrets rollb'"
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, check=True)
    assert b"Make an older version the current one again." in done.stdout
    (tmp_path / "state" / "secrets" / "key").unlink()
    assert fish("openclaw secrets get anth") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_accepts_the_script_without_a_word(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_bytes(
        subprocess.run(["openclaw", "completion", shell], capture_output=True, check=True).stdout
    )
    checked = subprocess.run([shell, "-n", str(script)], capture_output=True, check=True)
    assert checked.stdout + checked.stderr == b""
