"""What is released: the same from the same source, with a bill of what is in it."""

from __future__ import annotations

import hashlib
import re
import subprocess
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts import build, licences, locked, sbom
from tests.conftest import SCRIPTS

pytestmark = pytest.mark.slow

TIME = "1700000000"

FREE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0",
    "MPL-2.0", "PSF-2.0", "Zlib",
}  # fmt: skip
"""Licences that ask nothing of who installs the program; another one is a decision to be made."""


def wheel_of(built: dict[str, bytes]) -> bytes:
    return next(data for name, data in built.items() if name.endswith(".whl"))


def archive_of(built: dict[str, bytes]) -> bytes:
    return next(data for name, data in built.items() if name.endswith(".tar.gz"))


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    return build.twice(tmp_path_factory.mktemp("builds"), TIME)


def test_two_builds_in_different_places_are_the_same_bytes(builds: list[dict[str, bytes]]) -> None:
    first, second = builds
    assert sorted(first) == sorted(second)
    assert len(first) == 2
    assert first == second


def test_builds_at_different_times_differ_so_the_comparison_can_fail(tmp_path: Path) -> None:
    first, second = (build.twice(tmp_path / str(time), str(time))[0] for time in (10**9, 2 * 10**9))
    assert wheel_of(first) != wheel_of(second)
    assert archive_of(first) != archive_of(second)


def test_the_source_archive_builds_the_same_wheel(
    builds: list[dict[str, bytes]], tmp_path: Path
) -> None:
    with tarfile.open(fileobj=BytesIO(archive_of(builds[0]))) as archive:
        archive.extractall(tmp_path, filter="data")
    tree = next(tmp_path.iterdir())
    again = build.built(tree, tmp_path / "out", TIME, {}, 0o022)
    assert wheel_of(again) == wheel_of(builds[0])


def test_the_wheel_holds_the_package_and_nothing_else(builds: list[dict[str, bytes]]) -> None:
    with zipfile.ZipFile(BytesIO(wheel_of(builds[0]))) as wheel:
        names = wheel.namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"openclaw_cli"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert "openclaw_cli/cli/completions/openclaw.bash" in names
    assert "openclaw_cli/py.typed" in names


def test_what_is_built_is_written_with_sums_that_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", TIME)
    assert build.main([str(tmp_path / "dist")]) == 0
    sums = (tmp_path / "dist" / "SHA256SUMS").read_text()
    assert capsys.readouterr().out == sums
    found = {line[66:]: line[:64] for line in sums.splitlines()}
    for name, digest in found.items():
        assert hashlib.sha256((tmp_path / "dist" / name).read_bytes()).hexdigest() == digest
    assert {path.name for path in (tmp_path / "dist").iterdir()} == {"SHA256SUMS", *found}


def test_the_bill_of_materials_is_cyclonedx_and_names_all_that_is_locked(
    openclaw_bill: str,
) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(openclaw_bill) is None
    bill = sbom.bill()
    named = {(each["name"], each["version"]) for each in bill["components"]}
    assert named == {(each.name, each.version) for each in locked.read("runtime")}
    assert all(each["hashes"] and each["licenses"] for each in bill["components"])
    refs = {each["bom-ref"] for each in bill["components"]}
    needed = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
    assert set(needed) == refs | {bill["metadata"]["component"]["bom-ref"]}
    assert {ref for each in needed.values() for ref in each} <= refs
    assert any("typer" in each for each in needed[bill["metadata"]["component"]["bom-ref"]])


@pytest.fixture
def openclaw_bill() -> str:
    line = [f"{SCRIPTS}/python", str(locked.ROOT / "scripts" / "sbom.py")]
    first, second = (subprocess.run(line, capture_output=True, check=True).stdout for _ in "12")
    assert first == second
    return first.decode()


def test_a_bill_that_is_none_is_refused() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str('{"bomFormat": "other"}')


def test_no_address_is_in_what_is_locked_nor_in_the_bill(openclaw_bill: str) -> None:
    assert "://" not in openclaw_bill
    for file in (locked.ROOT / "requirements").iterdir():
        assert not re.search(r"://|\w+ @ |--(?:extra-)?index-url|--find-links", file.read_text())


def test_every_locked_file_has_hashes_throughout() -> None:
    for file in (locked.ROOT / "requirements").iterdir():
        assert all(each.hashes for each in locked.read(file.stem)), file.name


def test_what_an_install_brings_is_under_a_licence_that_asks_nothing() -> None:
    for each in locked.read("runtime"):
        assert set(re.split(r" (?:AND|OR) ", locked.licence(each.name))) <= FREE, each.name


def test_a_licence_that_nobody_knows_is_told_and_not_guessed() -> None:
    with pytest.raises(LookupError, match="add it by hand"):
        locked.licence("no-such-package")


def test_the_page_of_licences_names_all_that_is_locked() -> None:
    page = licences.page()
    for each in locked.read("dev"):
        row = rf"^\| {re.escape(each.name)} \| .*\b{re.escape(each.version)}"
        assert re.search(row, page, re.MULTILINE), each.name
