"""What a newer version keeps is refused in clear words and left as it is, whatever file it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Result
from tests.vectors.test_state_vectors import VECTORS, private

Main = Callable[..., Result]

NEWER = b"install a newer openclaw-cli"


@dataclass(frozen=True)
class Kind:
    """A file of ours, how a newer one would begin, and the commands that must not take it."""

    file: str
    old: bytes
    new: bytes
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return self.file


READ = ("secrets get binary", "secrets list", "secrets run --secret binary -- true")
WRITE = ("secrets set binary", "secrets rotate --due", "secrets delete binary", "store rekey")
KEEP = ("store check", "store backup COPY", "store accept-rollback --yes", "config upgrade")
TRAIL = ("secrets audit", "secrets audit verify")
SET = ("config set run.mask true", "config upgrade")

KINDS = (
    Kind("secrets/store.oc", b"OCSTORE1", b"OCSTORE2", (*READ, *WRITE, *KEEP, *TRAIL)),
    Kind("audit/head", b"OCHEAD01", b"OCHEAD02", (*READ, *WRITE, *KEEP, *TRAIL)),
    Kind("settings.toml", b"", b"format = 2\n", (*READ, *WRITE, *SET, "config check")),
    Kind("state.toml", b"format = 1", b"format = 2", ("gateway run --port 0", "config upgrade")),
    Kind("gateway/tokens.toml", b"", b"format = 2\n", ("gateway run --port 0", "config upgrade")),
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return private(VECTORS / "state-0.1", tmp_path / "state")


def files(state: Path) -> dict[str, bytes]:
    """Return what is there, but for locks and what is made anew anyway."""
    passing = ("lock", "rotate.lock", "compiled", "gateway.lock")
    every = [path for path in state.rglob("*") if path.is_file() and path.name not in passing]
    return {str(path.relative_to(state)): path.read_bytes() for path in every}


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_newer_file_is_refused_and_left_as_it_is(main: Main, state: Path, kind: Kind) -> None:
    path = state / kind.file
    whole = path.read_bytes()
    assert kind.old in whole[: len(kind.old)]
    path.write_bytes(kind.new + whole.removeprefix(kind.old))
    before = files(state)
    for line in kind.lines:
        named = {"COPY": str(state.parent / "copy")}
        done = main(*(named.get(word, word) for word in line.split()), input=b"lost")
        assert done.status == (125 if " run --secret" in line else 78), (line, done)
        for words in (NEWER, b"has format 2, this program knows format 1"):
            assert words in done.out + done.err, (line, done)
        assert files(state) == before, line
    path.write_bytes(whole)
    for line in kind.lines[:1]:
        if "gateway" not in line:
            main(*line.split(), check=0)


@pytest.mark.parametrize("kind", KINDS[:2], ids=str)
def test_status_and_doctor_say_it_too(main: Main, state: Path, kind: Kind) -> None:
    path = state / kind.file
    path.write_bytes(kind.new + path.read_bytes().removeprefix(kind.old))
    for line in ("status", "doctor"):
        done = main(line)
        assert done.status in (10, 78), done
        assert b"format 2" in done.out + done.err, done


def test_a_longer_head_is_a_newer_one_and_not_a_damaged_one(main: Main, state: Path) -> None:
    path = state / "audit" / "head"
    path.write_bytes(b"OCHEAD12" + path.read_bytes()[8:] + bytes(100))
    assert b"the trail has format 12" in main("secrets", "get", "binary", check=78).err
    path.write_bytes(b"OCHEADxx" + path.read_bytes()[8:])
    main("secrets", "get", "binary", check=4)


def test_the_first_format_may_be_said_and_nonsense_may_not(main: Main, state: Path) -> None:
    path = state / "settings.toml"
    text = path.read_text()
    path.write_text(f"format = 1\n{text}")
    main("config", "check", str(path), check=0)
    main("config", "set", "run.mask", "false", check=0)
    assert path.read_text().startswith("format = 1\n")
    for said in ('"2"', "true", "0", "-1", "1.5"):
        path.write_text(f"format = {said}\n{text}")
        assert b"line 1: the file does not say its format" in main("status", check=78).err


def test_a_newer_file_of_a_project_is_not_trusted(
    main: Main, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    file = project / ".openclaw.toml"
    file.write_text('format = 2\n[secrets.x]\nsource = "env"\nkey = "X"\n')
    before = files(state)
    assert NEWER in main("config", "trust", "--yes", check=78).err
    assert files(state) == before
    file.write_text(file.read_text().replace("= 2", "= 1"))
    main("config", "trust", "--yes", check=0)


def test_a_newer_bundle_and_what_its_job_left_are_refused(
    main: Main, monkeypatch: pytest.MonkeyPatch, state: Path, tmp_path: Path
) -> None:
    made = main("secrets", "export", "--sealed", "binary", "--output", str(tmp_path / "b"), check=0)
    monkeypatch.setenv("OPENCLAW_BUNDLE", str(tmp_path / "b"))
    monkeypatch.setenv("OPENCLAW_BUNDLE_KEY", made.out.decode().strip())
    assert main("secrets", "get", "binary", check=0).out == b"\0\1"
    monkeypatch.setenv("OPENCLAW_BUNDLE_KEY", made.out.decode().strip())  # it is taken out of there
    bundle = tmp_path / "b"
    whole = bundle.read_bytes()
    bundle.write_bytes(b"OCSTORE2" + whole[8:])
    assert NEWER in main("secrets", "get", "binary", check=78).err
    monkeypatch.delenv("OPENCLAW_BUNDLE")
    monkeypatch.delenv("OPENCLAW_BUNDLE_KEY", raising=False)
    (left,) = (tmp_path / "b.job").rglob("head")
    left.write_bytes(b"OCHEAD02" + left.read_bytes()[8:])
    before = files(state)
    assert NEWER in main("secrets", "audit", "import", str(tmp_path / "b.job"), check=78).err
    assert files(state) == before


def test_a_newer_anchor_is_refused(main: Main, state: Path, tmp_path: Path) -> None:
    anchor = tmp_path / "anchor"
    main("config", "set", "store.anchor", f"file:{anchor}", check=0)
    main("secrets", "set", "binary", input=b"anchored", check=0)
    whole = anchor.read_bytes()
    anchor.write_bytes(whole.replace(b"openclaw-anchor-1", b"openclaw-anchor-2"))
    before = files(state)
    for line in (("secrets", "get", "binary"), ("secrets", "set", "binary")):
        assert NEWER in main(*line, input=b"lost", check=78).err
    assert files(state) == before


def test_a_newer_baseline_is_refused(main: Main, state: Path, tmp_path: Path) -> None:
    leaked = tmp_path / "leaked.txt"
    leaked.write_text("token = ghp_" + "4kQz7Rt1" * 4 + "b9Xw\n")
    baseline = tmp_path / "baseline.json"
    line = ("secrets", "scan", str(leaked), "--baseline", str(baseline))
    main(*line, "--update-baseline", check=0)
    main(*line, check=0)
    found = json.loads(baseline.read_text())
    baseline.write_text(json.dumps({**found, "schema": 2}))
    assert NEWER in main(*line, check=78).err
    assert state.is_dir()


def test_a_backup_of_a_newer_version_is_not_restored(
    main: Main, state: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.oc"
    main("store", "backup", str(backup), check=0)
    backup.write_bytes(b"OCSTORE2" + backup.read_bytes()[8:])
    before = files(state)
    for more in ("--drill", "--yes"):
        assert NEWER in main("store", "restore", str(backup), more, check=78).err
    assert files(state) == before


def test_what_can_be_made_anew_is_not_believed_and_made_anew(main: Main, state: Path) -> None:
    shutil.rmtree(state / "environments")
    main("status")
    compiled = state / "compiled"
    newer = json.loads(compiled.read_text())
    newer["program"] = "99.0"
    newer["values"]["store.versions"] = 999
    compiled.write_text(json.dumps(newer))
    shown = main("config", "show", "--json", check=0).json()["settings"]
    assert shown["store.versions"]["value"] == 5
    assert json.loads(compiled.read_text())["program"] != "99.0"
