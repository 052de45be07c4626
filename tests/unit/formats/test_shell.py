from __future__ import annotations

import subprocess
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_cli.errors import UsageError
from openclaw_cli.formats import shell

# The awkward ones: what shells use inside themselves (0x81-0x88), and half characters.
values = st.lists(
    st.sampled_from(b"ab'\"\\$`#~!*{}()\n\r\t \x01\x7f\x81\x82\x83\x88\xc3\xa9\xff").map(
        lambda byte: bytes([byte])
    )
    | st.binary(max_size=4)
).map(lambda parts: b"".join(parts).replace(b"\0", b""))

# What shells set by themselves.
OWN = (b"LC_ALL", b"OLDPWD", b"PATH", b"PWD", b"SHLVL", b"_")


def sourced(script: bytes, program: str, locale: str) -> dict[str, bytes]:
    """Source a script, and give the variables that a program started afterwards has."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(script)
        file.flush()
        command = [program, "-c", 'set -a; . "$1"; exec /usr/bin/env -0', program, file.name]
        answer = subprocess.run(
            command, env={"LC_ALL": locale, "PATH": ""}, capture_output=True, check=True
        )
    assert answer.stderr == b""
    pairs = (entry.partition(b"=") for entry in answer.stdout.split(b"\0") if entry)
    return {name.decode(): value for name, _, value in pairs if name not in OWN}


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("program", ["/bin/sh", "/bin/bash"])
@settings(max_examples=50, deadline=None)
@given(found=st.lists(values, max_size=8))
def test_a_real_shell_gets_the_same_bytes(program: str, locale: str, found: list[bytes]) -> None:
    table = {f"V{number}": value for number, value in enumerate(found)}
    assert sourced(shell.write(table), program, locale) == table


tokens = [b"export ", b"V=", b"W=", b"'", b'"', b"\\", b"\n", b" ", b"\t", b"#", b"x", b"y", b"$"]
tokens += [b"`", b"~", b":", b"=", b"%", b"\r", b"\xc3\xa9", b"{x,y}", b"*", b"!", b"^", b"?", b"["]


@pytest.mark.parametrize("program", ["/bin/sh", "/bin/bash"])
@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(
        st.tuples(
            st.sampled_from([b"", b" ", b"export "]),
            st.sampled_from([b"V=", b"W=", b"# "]),
            st.lists(st.sampled_from(tokens), max_size=6).map(b"".join),
        ).map(b"".join),
        max_size=3,
    )
)
def test_whatever_is_read_is_what_a_real_shell_would_have(program: str, lines: list[bytes]) -> None:
    script = b"\n".join(lines)
    try:
        found = shell.read(script)
    except UsageError:
        return
    assert sourced(script, program, "C.UTF-8") == found


@pytest.mark.parametrize(
    ("script", "value"),
    [
        (b"A='x#y' # comment", b"x#y"),
        (b"A='x'\"y\"\\ z", b"xy z"),
        (b'A="a\\$b\\\\\\"\\n"', b'a$b\\"\\n'),
        (b'A="one\\\ntwo"', b"onetwo"),
        (b"export\tA=", b""),
    ],
)
def test_quotes_are_undone_as_a_shell_does(script: bytes, value: bytes) -> None:
    assert shell.read(script) == {"A": value}


@pytest.mark.parametrize(
    "line",
    [
        b"A=$HOME",
        b'A="$(id)"',
        b"A=`id`",
        b"A=~/x",
        b"A=x; id",
        b"A=x id",
        b"A='x",
        b"A=x\\",
        b"A=x\r",
        b"A='x\0y'",
        b"A=(x y)",
        b"A=$'x'",
        b"if true; then",
        b"export A",
        b"A =x",
    ],
)
def test_more_than_a_plain_assignment_is_refused_with_its_line(line: bytes) -> None:
    with pytest.raises(UsageError, match="line 3 of the shell input"):
        shell.read(b"# keys\nB='x'\n" + line + b"\n")


def test_a_nul_byte_is_refused_since_no_variable_can_hold_it() -> None:
    with pytest.raises(UsageError, match="the value of KEY has a NUL byte"):
        shell.write({"KEY": b"a\0b"})
