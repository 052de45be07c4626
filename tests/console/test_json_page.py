"""`docs/reference/json-output.md` lists the fields that the commands give, and no others."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.conftest import Openclaw
from tests.unit.interop import installation

AGENTS = {
    "gateway": {"port": 0},
    "agents": {"cat": {"type": "thread-bound", "command": ["cat"], "mode": "session"}},
}
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "json-output.md"

# Each line by the section it belongs to, in an order in which each finds what it needs.
LINES = {
    "openclaw store init": ["store init --no-recovery"],
    "openclaw secrets create": ["secrets create a --value old --label team=red", "secrets set a"],
    "openclaw secrets get": ["secrets get a", "secrets get a?version=1"],
    "openclaw secrets list": ["secrets list", "secrets list --missing wanted.env"],
    "openclaw secrets status": ["secrets status a"],
    "openclaw secrets history": ["secrets history a"],
    "openclaw secrets describe": ["secrets describe a --label x=y", "secrets rollback a"],
    "openclaw secrets expect": ["secrets expect a --from local --enforce", "secrets expect a"],
    "openclaw secrets rotate": [
        "secrets rotate a --schedule daily --with generate",
        "secrets rotate a --dry-run",
        "secrets rotate a",
        "secrets rotate --due --dry-run",
        "secrets rotate --due",
    ],
    "openclaw secrets schedule": [
        "secrets schedule install --cron --dry-run",
        "secrets schedule install --systemd --dry-run",
        "secrets schedule uninstall --dry-run",
        "secrets schedule status",
    ],
    "openclaw secrets copy": ["secrets copy a b"],
    "openclaw secrets refresh": ["secrets refresh a"],
    "openclaw secrets delete": ["secrets delete b"],
    "openclaw secrets grant": [
        "secrets grant mailer a team/* --expires 1h",
        "secrets grants",
        "secrets revoke mailer a",
    ],
    "openclaw secrets scan": ["secrets scan leaked.txt"],
    "openclaw secrets migrate": ["secrets migrate gw --dry-run --gateway npm/bin/openclaw"],
    "openclaw interop setup": [
        "interop setup --dry-run --state-dir gw --gateway npm/bin/openclaw",
    ],
    "openclaw secrets import": ["secrets import new.env --dry-run", "secrets import new.env"],
    "openclaw secrets export": [
        "secrets export K --out out.env",
        "secrets export --sealed K --out k.bundle",
        "secrets export --sealed K --out l.bundle --key-file l.key",
        "secrets inject t --out t.out",
    ],
    "openclaw secrets audit": ["secrets audit"],
    "openclaw secrets audit verify": ["secrets audit verify"],
    "openclaw secrets audit export": [
        "secrets audit export --output out.jsonl",
        "secrets audit prune --before 90d",
    ],
    "openclaw store slots": [
        "store slots",
        "store slots add recovery",
        "store slots remove recovery --yes",
    ],
    "openclaw store check": ["store check"],
    "openclaw store backup": [
        "store backup b.oc",
        "store rekey",
        "store restore b.oc --yes",
        "store restore b.oc --drill",
    ],
    "openclaw store unlock": ["store unlock", "store lock", "store accept-rollback"],
    "openclaw status": ["status", "status --secrets"],
    "openclaw gateway start": ["gateway start", "gateway restart"],
    "openclaw gateway status": ["gateway status", "agents status --verbose"],
    "openclaw gateway reload": [
        "gateway reload",
        "gateway link",
        "gateway install",
        "gateway uninstall",
        "gateway alert-rules",
    ],
    "openclaw agents run": ["agents run cat --input in.json --thread mine"],
    "openclaw agents spawn": [
        "agents spawn cat --thread=mine",
        "agents restart",
        "agents cleanup --idle 1h",
        "agents close --thread mine",
        "agents stop cat",
    ],
    "openclaw gateway stop": ["gateway stop"],
    "openclaw doctor": ["doctor", "doctor --checklist"],
    "openclaw config": [
        "config show",
        "config path",
        "config set run.mask false",
        "config check",
        "config check --practices",
        "config upgrade old.json",
        "config convert old.json -o new.json",
    ],
    "openclaw completion": ["completion bash"],
}


def sections() -> dict[str, dict[str, bool]]:
    """Return by heading the fields of its tables, true where the field is always there."""
    found: dict[str, dict[str, bool]] = {}
    for part in re.split(r"^### ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        body = body.partition("\n## ")[0]
        fields = found[re.findall("`([^`]+)`", heading)[0]] = {}
        for row in re.findall(r"^\| (.*?) \|", body, flags=re.MULTILINE):
            for italic, field in re.findall(r"(\*?)`([^`]+)`", row):
                fields[field] = not italic
    return found


def paths(value: object, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from paths(each, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for each in value:
            yield from paths(each, f"{path}[]")
    else:
        yield path


@pytest.fixture(scope="module")
def documented() -> dict[str, dict[str, bool]]:
    return sections()


def test_every_section_is_run(documented: dict[str, dict[str, bool]]) -> None:
    assert {heading for heading, fields in documented.items() if fields} == set(LINES)


@pytest.mark.slow
def test_each_field_is_documented_and_each_documented_field_comes(
    openclaw: Openclaw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    documented: dict[str, dict[str, bool]],
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    Path("wanted.env").write_text("X=openclaw://x\n")
    Path("new.env").write_text("K=v\n")
    Path("old.json").write_text('{"agents": {"x": {"runtime": "thread", "model": "gpt-5"}}}')
    Path("t").write_text("{{ local://K }}\n")
    Path("in.json").write_text("{}")
    Path("leaked.txt").write_text("token = ghp_" + "4kQz7Rt1" * 4 + "b9Xw\n")
    installation.installed(tmp_path / "npm")
    installation.state(tmp_path / "gw")
    state = Path(os.environ["OPENCLAW_STATE_DIR"])
    state.mkdir(mode=0o700)
    (state / "openclaw.json").write_text(json.dumps(AGENTS))
    request.addfinalizer(lambda: openclaw("gateway", "stop"))
    for heading, lines in LINES.items():
        fields = documented[heading]
        came: set[str] = set()
        for line in lines:
            done = openclaw(*line.split(), "--json", input=b"\xffnew")
            assert done.out, (line, done)
            answer = done.json()
            assert answer.pop("schema") == 1, line
            came.update(paths(answer))
        unknown = {
            path
            for path in came
            if not any(fnmatchcase(path, re.sub(r"\[\]", "[[]]", field)) for field in fields)
        }
        assert not unknown, f"{heading} gives what the page does not have"
        for field, always in fields.items():
            wanted = re.sub(r"\[\]", "[[]]", field)
            assert not always or any(fnmatchcase(path, wanted) for path in came), (heading, field)
