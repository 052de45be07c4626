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


GOOD_PRACTICE = """{
  "agents": {"clerk": {"type": "thread-bound", "model": "gpt-5", "secrets": ["openai/apiKey"]}},
  "externalSecrets": {"openai": {"apiKey": {"source": "env", "key": "K", "rotation": "daily"}}},
  "monitoring": {"alerts": {"command": ["/usr/local/bin/page"]}}
}"""


def test_the_practices_that_a_file_can_keep_are_looked_at(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    path = tmp_path / "openclaw.json"
    line = ("config", "check", str(path), "--practices")
    path.write_text(GOOD_PRACTICE)
    assert openclaw(*line, check=0).out.count(b": ok: ") == 6
    for old, new, name in (
        ('"daily"', '"monthly"', "rotation"),
        (', "rotation": "daily"', "", "rotation"),
        ("{", '{"secrets": {"x": {"api-key": "sk-in-plain-text"}},', "by reference"),
        ('"thread-bound",', '"singleton",', "sensitive agents"),
        ('"thread-bound",', '"thread-bound", "timeout": 600,', "sensitive agents"),
        ('"thread-bound",', '"thread-bound", "auto-destroy": false,', "sensitive agents"),
        (GOOD_PRACTICE[GOOD_PRACTICE.index(',\n  "monitoring"') : -2], "", "alerts"),
    ):
        assert old in GOOD_PRACTICE
        path.write_text(GOOD_PRACTICE.replace(old, new, 1))
        found = openclaw(*line, "--json", check=10).json()["practices"]
        failed = [each for each in found if not each["pass"]]
        assert failed[0]["name"] == name, (new, failed)
        assert failed[0]["command"]
        assert b"sk-in-plain-text" not in openclaw(*line, check=10).out


def test_a_file_with_mistakes_keeps_no_practice(openclaw: Openclaw, tmp_path: Path) -> None:
    path = tmp_path / "openclaw.json"
    path.write_text(GOOD_PRACTICE.replace('"env"', '"evn"'))
    done = openclaw("config", "check", str(path), "--practices", "--json", check=78)
    assert done.json()["practices"] == []
