"""The lean JSON reads what `json` reads and writes what `json` writes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openclaw_cli.leanjson import dumps, loads
from tests.conftest import NIGHTLY

many = settings(max_examples=20_000 if NIGHTLY else 300)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@many
@given(values)
def test_what_is_written_is_what_json_writes_and_reads_the_same(value: object) -> None:
    text = dumps(value)
    assert text == json.dumps(value, separators=(",", ":"))
    assert loads(text) == value
    assert loads(text.encode()) == value


@many
@given(st.binary(max_size=80) | st.text('{}[]",:0123456789eE+-. \ntruefalsnul\\', max_size=40))
@example(b"\xff")
@example(b"")
@example("[1] x")
@example('{"a":1,"a":2}')
@example("NaN")
@example("[" * 100_000)
@example('"\\ud800"')
@example("1" * 5000)
def test_any_bytes_are_json_or_a_value_error(text: str | bytes) -> None:
    try:
        found = loads(text)
    except ValueError:
        return
    assert json.loads(text) == found


@many
@given(values, st.text(" \t\r\n", max_size=3))
def test_white_space_around_it_is_allowed(value: object, space: str) -> None:
    assert loads(space + dumps(value) + space) == value


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '[{"x":{"a":1,"a":2}}]'])
def test_a_repeated_key_is_refused_at_any_depth(text: str) -> None:
    with pytest.raises(ValueError, match="repeated key"):
        loads(text)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[NaN]"])
def test_what_is_not_a_number_in_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        loads(text)


@pytest.mark.parametrize("value", [b"bytes", {1}, object()])
def test_what_json_does_not_know_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError):
        dumps(value)


def test_it_does_not_import_json() -> None:
    line = (
        "import sys, openclaw_cli.leanjson; sys.exit('json' in sys.modules or 're' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", line], check=False).returncode == 0
