"""A bundle of every released format is read for ever, and so is what a job left of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_cli import assembly, bundle, bundling
from openclaw_cli.errors import DeniedError, IntegrityError, LockedError, OpenclawError
from openclaw_cli.errors import TemporaryError as Later
from openclaw_cli.home import find
from openclaw_cli.settings import Settings
from openclaw_cli.store.keys import given
from openclaw_cli.store.reader import Snapshot
from tests.vectors.independent_reader import hkdf, read

FOLDER = Path(__file__).parent / "bundle-1"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
FILE = FOLDER / MANIFEST["file"]
KEY = bytes.fromhex(MANIFEST["key"])
STORE_KEY = bytes.fromhex(MANIFEST["store_audit_key"])
VALUES = {name: bytes.fromhex(value) for name, value in MANIFEST["values"].items()}


def opened(path: Path, now: float, key: bytes = KEY) -> Snapshot:
    """Open a bundle as it is at some time."""
    where = str(path)
    return bundle.opened(where, lambda header: (bundle.unlocked(header, key, where, now), "bundle"))


def test_it_gives_what_it_was_made_with() -> None:
    snapshot = opened(FILE, MANIFEST["made"])
    assert snapshot.header.store.hex() == MANIFEST["bundle"]
    assert {name: snapshot.current(name) for name in VALUES} == {
        name: (3, value) for name, value in VALUES.items()
    }
    entry = snapshot.directory().entries["deploy-token"]
    assert (entry.provider, entry.labels) == ("github", {"variable": "GH_TOKEN"})
    snapshot.close()


def test_a_reader_written_from_the_document_alone_agrees() -> None:
    found = read(FILE.read_bytes(), "bundle", MANIFEST["key"])
    assert {name: value for name, (_, value) in found.current.items()} == VALUES
    assert found.audit_key == hkdf(STORE_KEY, b"openclaw/v1/bundle", found.store)


@pytest.mark.parametrize(
    ("when", "error"),
    [("expires", DeniedError), ("made", Later)],
)
def test_outside_of_its_time_it_is_refused(when: str, error: type[OpenclawError]) -> None:
    outside = {"expires": MANIFEST["expires"], "made": MANIFEST["made"] - 301}[when]
    inside = {"expires": MANIFEST["expires"] - 1, "made": MANIFEST["made"] - 299}[when]
    with pytest.raises(error):
        opened(FILE, outside)
    opened(FILE, inside).close()


def test_another_time_is_another_file_which_nothing_opens(tmp_path: Path) -> None:
    data = FILE.read_bytes()
    later = data.replace(str(MANIFEST["expires"]).encode(), b"9999999999")
    assert later != data
    (tmp_path / "later").write_bytes(later)
    with pytest.raises(LockedError):
        opened(tmp_path / "later", MANIFEST["made"])


def test_every_byte_that_is_turned_is_noticed(tmp_path: Path) -> None:
    data = FILE.read_bytes()
    path = tmp_path / "turned"
    for at in range(0, len(data), 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(OpenclawError):
            _read_all(opened(path, MANIFEST["made"]))


def _read_all(snapshot: Snapshot) -> None:
    try:
        for name in VALUES:
            if snapshot.current(name) is None:
                raise IntegrityError(name)
        snapshot.directory()
    finally:
        snapshot.close()


def test_what_the_job_left_verifies_with_the_key_of_the_store_alone(tmp_path: Path) -> None:
    for name in ("trail.jsonl", "head"):
        shutil.copy(FOLDER / name, tmp_path)
    job = bundling.verified(str(tmp_path / "trail.jsonl"), STORE_KEY)
    assert (job.bundle, len(job.records)) == (MANIFEST["bundle"], MANIFEST["records"])
    assert [each.get("name") for each in job.records] == [None, *VALUES, "absent"]


def test_a_changed_or_cut_trail_is_refused(tmp_path: Path) -> None:
    good = (FOLDER / "trail.jsonl").read_bytes()
    lines = good.splitlines(keepends=True)
    path = tmp_path / "trail.jsonl"
    for at in range(0, len(good) - 1, 5):
        turned = bytes([good[at] ^ 1])
        if turned == b"\n" or good[at : at + 1] == b"\n":
            continue
        path.write_bytes(good[:at] + turned + good[at + 1 :])
        with pytest.raises(OpenclawError):
            bundling.verified(str(path), STORE_KEY)
    for kept in (lines[1:], [*lines[:1], *lines[2:]], [lines[1], lines[0], *lines[2:]]):
        path.write_bytes(b"".join(kept))
        with pytest.raises(OpenclawError):
            bundling.verified(str(path), STORE_KEY)
    shutil.copy(FOLDER / "head", tmp_path)
    path.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(IntegrityError, match="its head knows"):
        bundling.verified(str(path), STORE_KEY)


def test_a_job_that_was_begun_before_goes_on_in_the_same_trail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(FILE, tmp_path)
    monkeypatch.setenv("OPENCLAW_BUNDLE", str(tmp_path / MANIFEST["file"]))
    given.take({given.BUNDLE: MANIFEST["key"]}, None)
    home = find(os.environ)
    os.makedirs(home.audit)
    for name in ("trail.jsonl", "head"):
        shutil.copyfile(FOLDER / name, f"{home.audit}/{name}")
    secrets = assembly.secrets(home, Settings({}, {}), os.environ)
    snapshot = opened(FILE, MANIFEST["made"])
    secrets.trail.bind(snapshot.header, snapshot.index.audit_key)
    snapshot.close()
    assert secrets.trail.append([{"kind": "test"}])[0].seq == MANIFEST["records"] + 1


def test_the_files_are_what_the_program_that_made_them_would_make() -> None:
    script = Path(__file__).parents[2] / "scripts" / "bundle_vectors.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
