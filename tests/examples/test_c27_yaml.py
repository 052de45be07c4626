"""C27: the same settings as YAML are read, and `config convert` writes them in another language."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Result

Main = Callable[..., Result]
YAML = """# as an article has it
externalSecrets:
  provider: env
store:
  versions: 7
list: [1, two]
"""


def test_yaml_is_read(main: Main, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "openclaw.yaml").write_text(YAML)
    (state / "openclaw.yaml").chmod(0o600)
    found = main("config", "show", "--json", check=0).json()["settings"]
    assert (found["store.versions"]["value"], found["backend"]["value"]) == (7, "env")


@pytest.mark.parametrize("to", ["json", "toml", "yaml"])
def test_it_is_converted_and_means_the_same(main: Main, tmp_path: Path, to: str) -> None:
    source, out = tmp_path / "openclaw.yaml", tmp_path / f"openclaw.{to}"
    if to == "yaml":
        source = tmp_path / "openclaw.json"
        source.write_text(json.dumps({"store": {"versions": 7}, "externalSecrets": {}}))
    else:
        source.write_text(YAML)
    main("config", "convert", str(source), "--to", to, "-o", str(out), check=0)
    text = out.read_text()
    assert out.stat().st_mode & 0o777 == 0o600
    if to == "json":
        assert json.loads(text)["store"] == {"versions": 7}
    elif to == "toml":
        assert tomllib.loads(text)["list"] == [1, "two"]
    else:
        assert text.startswith("store:\n  versions: 7\n")
    main("config", "convert", str(source), "--to", to, "-o", str(out), check=11)
    main("config", "convert", str(source), "--to", to, "-o", str(out), "--force", check=0)


@pytest.mark.parametrize(
    ("text", "to", "status"),
    [
        ("a: null", "toml", 78),
        ("a: [", "json", 78),
        ("- a", "json", 78),
        ("a: !!python/object:os.system x", "json", 78),
        ("a: 1", "xml", 2),
        ("a: .nan", "json", 78),
        ("\xff", "json", 78),
    ],
)
def test_what_cannot_be_converted_is_said(
    main: Main, tmp_path: Path, text: str, to: str, status: int
) -> None:
    path = tmp_path / "openclaw.yaml"
    path.write_bytes(text.encode("latin-1"))
    done = main("config", "convert", str(path), "--to", to, check=status)
    assert done.out == b""
    main("config", "convert", str(tmp_path / "absent.yaml"), check=3)
