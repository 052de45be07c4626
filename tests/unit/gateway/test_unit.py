"""The unit that `gateway install` writes, and `gateway uninstall` takes away."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Result

Main = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where units go; it is one that others may list, as systemd itself makes it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = tmp_path / "systemd" / "user"
    made.mkdir(parents=True)
    made.chmod(0o755)
    return made


def verified(path: Path) -> str:
    """Return what systemd complains of in a unit."""
    path.chmod(0o644)
    line = ["systemd-analyze", "verify", "--user", "--man=no", str(path)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if path.name in line]
    return "\n".join(complaints) or ("" if done.returncode == 0 else done.stderr)


@pytest.mark.slow
@pytest.mark.integration
def test_systemd_takes_the_unit_and_would_find_a_broken_one(main: Main, folder: Path) -> None:
    main("gateway", "install", check=0)
    unit = folder / "openclaw-gateway.service"
    assert verified(unit) == ""
    unit.write_text(unit.read_text().replace("Type=notify", "Type=nothing"))
    assert "service type" in verified(unit)


def test_each_environment_has_a_unit_of_its_own_and_it_is_taken_away(
    main: Main, folder: Path
) -> None:
    for line in ((), ("--environment", "test"), ()):
        main("gateway", "install", *line, check=0)
    names = ["openclaw-gateway-test.service", "openclaw-gateway.service"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert "OPENCLAW_ENVIRONMENT=test" in (folder / names[0]).read_text()
    gone = main("gateway", "uninstall", "--json", check=0).json()
    assert gone["removed"] == [str(folder / names[1])]
    assert [path.name for path in folder.iterdir()] == names[:1]
    assert b"nothing was installed" in main("gateway", "uninstall", check=0).err


def test_the_timer_of_rotations_goes_into_such_a_folder_too(main: Main, folder: Path) -> None:
    main("secrets", "schedule", "install", "--systemd", check=0)
    assert len(list(folder.iterdir())) == 2
    main("secrets", "schedule", "uninstall", check=0)
    assert not list(folder.iterdir())


def test_a_folder_that_cannot_be_made_is_told(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    assert b"cannot create" in main("gateway", "install", check=74).err
