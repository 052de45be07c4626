from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.errors import UsageError
from openclaw_cli.formats import kubernetes


@given(
    table=st.dictionaries(
        st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,9}", fullmatch=True), st.binary()
    )
)
def test_any_bytes_come_back_and_keys_stay_text_for_every_reader(table: dict[str, bytes]) -> None:
    written = kubernetes.write(table)
    assert kubernetes.read(written) == table
    manifest = yaml.safe_load(written)
    assert (manifest["apiVersion"], manifest["kind"]) == ("v1", "Secret")
    assert list(manifest["data"]) == list(table)


def test_base64_that_looks_like_a_number_is_in_quotes() -> None:
    assert b'"A": "1e10"' in kubernetes.write({"A": b"\xd5\xed\x74"})


@pytest.mark.parametrize("name", ["team/db", "..", ".", "..a", "a:b", "", "a" * 254])
def test_a_key_that_kubernetes_refuses_is_refused_first(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a key of a Kubernetes Secret"):
        kubernetes.write({name: b"x"})


FROM_KUBECTL = b"""\
apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: v1
  kind: Secret
  metadata:
    creationTimestamp: null
    managedFields: [{time: 2024-01-01T00:00:00Z}]
  data:
    A: |
      YW
      Jj
    B: ""
- kind: ConfigMap
  data: {A: not a secret}
---
kind: Secret
immutable: true
data:
stringData: {C: text}
"""


def test_secrets_are_read_from_lists_and_streams_and_other_kinds_passed_over() -> None:
    assert kubernetes.read(FROM_KUBECTL) == {"A": b"abc", "B": b"", "C": b"text"}


def test_a_manifest_in_json_is_read_too() -> None:
    assert kubernetes.read(b'{\n  "kind": "Secret",\n  "data": {"A": "eA=="}\n}') == {"A": b"x"}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"kind: ConfigMap\n", "no manifest of kind Secret"),
        (b"", "no manifest of kind Secret"),
        (b"kind: Secret\ndata: {A: hunter2}\n", "a value for A that is not base64"),
        (b"kind: Secret\ndata: {A: null}\n", "a value for A that is not base64"),
        (b"kind: Secret\ndata: [A]\n", "data is not a table"),
        (b"kind: Secret\nstringData: {A: true}\n", "the value of A .* is a boolean"),
        (b"kind: Secret\ndata: {A: eA==}\n---\nkind: Secret\ndata: {A: eA==}\n", "A a second time"),
    ],
)
def test_a_manifest_that_cannot_be_taken_whole_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as refusal:
        kubernetes.read(data)
    assert "hunter2" not in refusal.value.message
