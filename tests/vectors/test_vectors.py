"""Stores of every released format open for ever, and the bad ones are refused for ever."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openclaw_cli.errors import IntegrityError, OpenclawError
from openclaw_cli.files import Directory
from openclaw_cli.home import Home
from openclaw_cli.store.check import examine
from openclaw_cli.store.header import Header
from openclaw_cli.store.keys.slots import unlock_asking, unlock_with
from openclaw_cli.store.reader import Snapshot, open_snapshot
from tests.vectors.independent_reader import hkdf, mac, read

FOLDER = Path(__file__).parent / "1"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
GOOD, BAD = MANIFEST["good"], MANIFEST["bad"]


def put_in_place(case: dict[str, Any], home: Home) -> Directory:
    """Make a home of a vector: its store, and its key file where it has one."""
    place = Path(home.secrets)
    place.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(FOLDER / case["file"], place / "store.oc")
    if "file" in case["keys"]:
        (place / "key").write_text(case["keys"]["file"] + "\n", encoding="ascii")
    return Directory(home.secrets)


def opened(case: dict[str, Any], tmp_path: Path, kind: str) -> Snapshot:
    """Open a vector with the key of one kind, as the program does it."""
    home = Home(str(tmp_path))
    given = case["keys"][kind].encode()

    def unlock(header: Header) -> tuple[bytes, str]:
        if kind == "file":
            return unlock_asking(home, header, lambda _label: b"")
        return unlock_with(home, header, kind.partition("_")[0], given), kind

    folder = put_in_place(case, home)
    try:
        return open_snapshot(folder, unlock)
    finally:
        folder.close()


EVERY_KEY = [(case, kind) for case in GOOD for kind in case["keys"]]


@pytest.mark.parametrize(("case", "kind"), EVERY_KEY, ids=lambda each: str(each)[:24])
def test_every_good_file_gives_what_it_was_made_with(
    case: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    snapshot = opened(case, tmp_path, kind)
    assert snapshot.header.store.hex() == case["store"]
    assert snapshot.header.epoch == case["epoch"]
    assert snapshot.header.generation == case["generation"]
    assert snapshot.index.audit_key.hex() == case["audit_key"]
    assert examine(snapshot).damage == []
    assert _contents(snapshot) == case["secrets"]
    for name, secret in case["secrets"].items():
        alive = [] if secret["deleted"] else secret["versions"].values()
        current = [base64.b64decode(v["value"]) for v in alive if v["stage"] == "current"]
        found = snapshot.current(name)
        assert ([] if found is None else [found[1]]) == current
    snapshot.close()


@pytest.mark.parametrize(("case", "kind"), EVERY_KEY, ids=lambda each: str(each)[:24])
def test_a_reader_written_from_the_document_alone_agrees(case: dict[str, Any], kind: str) -> None:
    data = (FOLDER / case["file"]).read_bytes()
    found = read(data, kind.partition("_")[0], case["keys"][kind])
    assert found.secrets == case["secrets"]
    assert (found.store.hex(), found.epoch, found.generation) == (
        case["store"],
        case["epoch"],
        case["generation"],
    )
    keys = (found.data_key.hex(), found.audit_key.hex(), found.name_key.hex())
    assert keys == (case["data_key"], case["audit_key"], case["name_key"])


@pytest.mark.parametrize("case", BAD, ids=lambda each: each["file"].removeprefix("bad-"))
def test_every_bad_file_is_refused_with_its_status_and_reason(
    case: dict[str, Any], tmp_path: Path
) -> None:
    kind = next(iter(case["keys"]))
    with pytest.raises(OpenclawError) as refused:
        _do(opened(case, tmp_path, kind), case["how"])
    assert refused.value.status == case["status"]
    assert case["reason"] in refused.value.message


def test_the_bad_records_are_bad_in_one_record_only(tmp_path: Path) -> None:
    case = next(each for each in BAD if each["file"] == "bad-rolled-back-record.oc")
    snapshot = opened(case, tmp_path, "file")
    assert snapshot.current("long") == (3, b"z" * 61)
    snapshot.close()


def test_the_files_are_what_the_program_that_made_them_would_make() -> None:
    script = Path(__file__).parents[2] / "scripts" / "vectors.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_file_of_the_folder_is_in_the_manifest() -> None:
    named = {case["file"] for case in GOOD + BAD}
    assert {each.name for each in FOLDER.iterdir()} == named | {"manifest.json"}


def test_the_worked_example_of_the_document_is_the_file(tmp_path: Path) -> None:
    """Each number in the table at the end of the document, computed again from `one.oc`."""
    document = Path(__file__).parents[2] / "docs" / "store-format.md"
    text = document.read_text(encoding="utf-8").partition("## A worked example")[2]
    words = dict(
        line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| ")
    )
    case = next(each for each in GOOD if each["file"] == "one.oc")
    data = (FOLDER / "one.oc").read_bytes()
    found = read(data, "file", case["keys"]["file"])
    snapshot = opened(case, tmp_path, "file")
    number_and_place = snapshot.index.find("db/password")
    assert number_and_place is not None
    place = number_and_place[1]
    record = data[snapshot.start + place.offset :][: place.length]
    facts = {
        "whole file, SHA-256": hashlib.sha256(data).hexdigest(),
        "file key": case["keys"]["file"],
        "store id": found.store.hex(),
        "data key": found.data_key.hex(),
        "commitment key": hkdf(found.data_key, b"openclaw/v1/commit").hex(),
        "commitment": data[40:72].hex(),
        "index key": hkdf(found.data_key, b"openclaw/v1/index", data[112:144]).hex(),
        "index salt": data[112:144].hex(),
        "name hash of db/password": mac(found.name_key, b"db/password")[:16].hex(),
        "record at, length": f"{place.offset}, {place.length}",
        "record salt": record[:16].hex(),
        "record key": mac(hkdf(found.data_key, b"openclaw/v1/value"), record[:16]).hex(),
        "record tag": record[-16:].hex(),
        "directory at, length": f"{snapshot.index.directory.offset}, "
        f"{snapshot.index.directory.length}",
    }
    snapshot.close()
    assert {label: words.get(label, "").strip("`") for label in facts} == facts


def _contents(snapshot: Snapshot) -> dict[str, Any]:
    return {
        entry.name: {
            "provider": entry.provider,
            "labels": entry.labels,
            "deleted": entry.deleted,
            "versions": {
                str(row.number): {
                    "stage": row.stage,
                    "value": base64.b64encode(
                        snapshot.value(entry.name, row.number, row.place)
                    ).decode(),
                }
                for row in entry.rows
            },
        }
        for entry in snapshot.directory().entries.values()
    }


def _do(snapshot: Snapshot, how: str) -> None:
    try:
        if how == "check":
            for damage in examine(snapshot).damage:
                raise IntegrityError(damage)
        if how.startswith("get "):
            snapshot.current(how.removeprefix("get "))
    finally:
        snapshot.close()
