"""E20: a copy of openclaw.json, the new settings added, and `openclaw config check` before use."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Openclaw

BEFORE = """\
// the gateway's own
{
  "gateway": {"port": 18789},
  "agents": {"list": [{"id": "main"}]},
}
"""
AFTER = """\
// the gateway's own
{
  "gateway": {"port": 18789},
  "agents": {"list": [{"id": "main"}]},
  "openclaw": {
    "store": {
      "version": 5,
      "deletedDays": "a month",
    },
  },
}
"""


def test_a_good_file_is_fine(openclaw: Openclaw, tmp_path: Path) -> None:
    for name in ("openclaw.json", "openclaw.json.backup"):
        path = tmp_path / name
        path.write_text(BEFORE)
        done = openclaw("config", "check", str(path), check=0)
        assert done.out == b""
        assert done.err.decode() == f"{path} has no mistakes\n"


def test_each_mistake_has_its_key_its_line_and_its_fix(openclaw: Openclaw, tmp_path: Path) -> None:
    path = tmp_path / "openclaw.json"
    path.write_text(AFTER)
    found = openclaw("config", "check", str(path), "--json", check=78).json()["mistakes"]
    assert [(each["line"], each["key"]) for each in found] == [
        (7, "store.version"),
        (8, "store.deletedDays"),
    ]
    assert found[0]["fix"] == "did you mean store.versions?"
    assert found[1]["mistake"].startswith("store.deleted-days takes a number of days")
    plain = openclaw("config", "check", str(path), check=78)
    assert b"did you mean store.versions?" in plain.out
    assert path.read_text() == AFTER


def test_a_file_that_cannot_be_read_as_json_has_its_line(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    path = tmp_path / "openclaw.json"
    path.write_text(BEFORE.replace("18789}", "18789"))
    (mistake,) = openclaw("config", "check", str(path), "--json", check=78).json()["mistakes"]
    assert mistake["line"] in (4, 5, 6)
