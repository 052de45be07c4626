"""The short way to our own modules: what it finds is what Python would have found."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from openclaw_cli.__main__ import _Beside

NAME = "openclaw_cli.thing"


def found(folder: Path, name: str = NAME) -> ModuleSpec | None:
    return _Beside.find_spec(name, [str(folder)])


def module(folder: Path, text: str = "x = 1\n", file: str = "thing.py") -> Path:
    source = folder / file
    source.parent.mkdir(exist_ok=True)
    source.write_text(text)
    py_compile.compile(str(source), doraise=True)
    return source


def test_a_compiled_module_is_loaded_with_what_python_would_say_of_it(tmp_path: Path) -> None:
    source = module(tmp_path)
    spec = found(tmp_path)
    assert spec is not None
    made = importlib.util.module_from_spec(spec)
    assert spec.loader
    spec.loader.exec_module(made)
    assert (made.x, made.__file__) == (1, str(source))
    vars(made)["x"] = 2
    spec.loader.exec_module(made)  # as `importlib.reload` does
    assert made.x == 1
    assert made.__cached__ == importlib.util.cache_from_source(str(source))
    assert spec.submodule_search_locations is None


def test_a_package_is_found_by_its_folder(tmp_path: Path) -> None:
    module(tmp_path, file="thing/__init__.py")
    spec = found(tmp_path)
    assert spec is not None
    assert spec.submodule_search_locations == [str(tmp_path / "thing")]


def test_byte_code_of_another_source_is_left_to_python(tmp_path: Path) -> None:
    source = module(tmp_path)
    before = source.stat()
    source.write_text("x = 23\n")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert found(tmp_path) is None, "the size is another"
    source.write_text("x = 2\n")
    os.utime(source, (1, 1))
    assert found(tmp_path) is None, "the time is another"
    source.unlink()
    assert found(tmp_path) is None


def test_what_is_not_ours_or_not_plain_is_left_to_python(tmp_path: Path) -> None:
    source = module(tmp_path)
    assert found(tmp_path, "another.thing") is None
    assert found(tmp_path, "openclaw_cli.other") is None
    assert _Beside.find_spec(NAME, None) is None
    cached = Path(importlib.util.cache_from_source(str(source)))
    whole = cached.read_bytes()
    cached.write_bytes(whole[:10])
    assert found(tmp_path) is None
    cached.write_bytes(bytes(4) + whole[4:])
    assert found(tmp_path) is None, "another Python wrote it"
    py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    assert found(tmp_path) is None, "it has a hash in the place of time and size"


@pytest.mark.parametrize("options", [[], ["-O"], ["-X", "pycache_prefix=made-up"]], ids=str)
def test_the_program_begins_here(options: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *options, "-m", "openclaw_cli", "secrets", "get", "nothing"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 3
    assert "no secret is called nothing" in done.stderr
