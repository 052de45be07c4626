"""The log of a gateway in the background does not grow for ever."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Result

Main = Callable[..., Result]


def test_a_log_that_has_grown_is_begun_anew_at_a_start(main: Main, tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "logs").mkdir(parents=True, mode=0o700)
    (state / "settings.toml").write_text("format = 99\n")  # so that it ends where it begins
    log = state / "logs" / "gateway.log"
    log.write_bytes(b"x" * 100)
    main("gateway", "start", check=78)
    assert log.read_bytes().startswith(b"x" * 100)
    with log.open("ab") as file:
        os.ftruncate(file.fileno(), 11 * 1024 * 1024)
    main("gateway", "start", check=78)
    assert (state / "logs" / "gateway.log.1").stat().st_size == 11 * 1024 * 1024
    assert log.stat().st_size < 1000
