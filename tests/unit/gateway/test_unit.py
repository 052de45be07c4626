"""The unit that `gateway install` writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_cli.errors import StorageError
from openclaw_cli.gateway import unit


def test_a_folder_of_units_that_others_may_list_is_as_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "systemd" / "user"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    for text in ("[Unit]\n", "[Unit] # again\n"):
        path = Path(unit.write(text))
        assert path.parent == folder
        assert path.read_text() == text


def test_a_folder_that_cannot_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(StorageError, match=r"cannot create .*systemd/user"):
        unit.write("[Unit]\n")
