"""The runner of the pages goes red where it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.runner import problems, steps


def session(*lines: str) -> str:
    return "\n".join(["# A page", "", "```console", *lines, "```", ""])


@pytest.mark.parametrize(
    "lines",
    [
        ("$ echo one", "two"),
        ("$ echo one",),
        ("$ true", "one"),
        ("$ echo one", "one", "one"),
        ("$ printf 'one\\ntwo\\n'", "one"),
        ("$ exit 3",),
        ("$ true", "[3]"),
        ("$ (exit 3)", "[4]"),
        ("$ echo a b c", "a ... d"),
        ("$ echo one", "...", "two"),
        ("$ exit", "$ echo one", "one"),
        ("$ echo one.two", "one+two"),
        ("$ echo 'a b'", "a  b"),
        ("$ echo 'a  b'", "a b"),
        ("$ echo later", "now"),
        ("$ echo 3h", "0s"),
    ],
)
def test_a_page_that_is_wrong_fails(lines: tuple[str, ...], tmp_path: Path) -> None:
    assert problems(session(*lines), tmp_path / "reader")


@pytest.mark.parametrize(
    "lines",
    [
        ("$ echo one", "one"),
        ("$ printf one", "one"),
        ("$ echo one; echo two >&2", "one", "two"),
        ("$ (exit 3)", "[3]"),
        ("$ echo one; (exit 3)", "one", "[3]"),
        ("$ echo a b c", "a ... c"),
        ("$ seq 9", "1", "...", "9"),
        ("$ seq 9", "..."),
        ("$ true", "..."),
        ("$ echo 'a     b'", "a  b"),
        ("$ echo 'read 12 seconds ago'", "read now"),
        ("$ echo 'read now, 3s'", "read now, 0s"),
        ("$ id -un", "ada"),
        ("$ cat <<'END'", "> $HOME > x", "> END", "$HOME > x"),
        ("$ NAME=kept", "$ echo $NAME", "kept"),
        ("$ cat", "$ echo still here", "still here"),
        ("$ echo 'it'\"'\"'s'", "it's"),
    ],
)
def test_a_page_that_is_right_passes(lines: tuple[str, ...], tmp_path: Path) -> None:
    assert problems(session(*lines), tmp_path / "reader") == []


def test_all_blocks_of_a_page_are_one_session(tmp_path: Path) -> None:
    page = session("$ touch here") + "\nLater:\n" + session("$ ls", "here")
    assert problems(page, tmp_path / "reader") == []


def test_a_page_has_a_home_of_its_own_and_no_settings_of_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENCLAW_STATE_DIR", "/nowhere")
    page = session('$ echo "$HOME ${OPENCLAW_STATE_DIR-unset}"', "/home/ada unset")
    assert problems(page, tmp_path / "reader") == []


def test_what_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    (told,) = problems(session("$ true", "$ echo one", "two"), tmp_path / "reader")
    assert told.startswith("line 5: $ echo one")


def test_a_block_begins_with_a_command() -> None:
    with pytest.raises(ValueError, match="line 4"):
        steps(session("output of nothing"))
