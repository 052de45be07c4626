from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_cli.errors import ConfigError, UsageError
from openclaw_cli.registry import Registry, missing_library

Install = Callable[[str, str, str], None]


@pytest.fixture
def shapes() -> Registry:
    return Registry(
        "shape",
        {
            "circle": "tests_shapes_round:Circle",
            "needy": "tests_shapes_needy:Needy [nice]",
            "broken": "tests_shapes_broken:Broken",
            "empty": "openclaw_cli.no_such_module:Nothing",
        },
    )


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests_shapes_round.py").write_text("class Circle: pass\nclass Oval: pass\n")
    (tmp_path / "tests_shapes_needy.py").write_text("import no_such_library.deep\n")
    (tmp_path / "tests_shapes_broken.py").write_text("import no_such_library\n")
    (tmp_path / "tests_shapes_faulty.py").write_text("raise RuntimeError('hunter2')\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def install(tmp_path: Path) -> Install:
    def put(package: str, name: str, place: str) -> None:
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[openclaw_cli.shape]\n{name} = {place}\n")

    return put


def test_a_name_of_the_table_is_imported_when_asked_for(shapes: Registry) -> None:
    assert "tests_shapes_round" not in sys.modules
    assert shapes.get("circle").__name__ == "Circle"


def test_an_unknown_name_is_told_what_is_known_and_what_was_meant(shapes: Registry) -> None:
    with pytest.raises(ConfigError) as caught:
        shapes.get("Circel")
    assert caught.value.message == "no shape is called Circel"
    assert caught.value.hint == "did you mean circle? known: circle, needy, broken, empty"


def test_a_name_like_no_other_gets_no_guess(shapes: Registry) -> None:
    with pytest.raises(ConfigError) as caught:
        shapes.get("tesseract-9")
    assert caught.value.hint == "known: circle, needy, broken, empty"


def test_a_table_of_the_command_line_blames_the_command_line() -> None:
    with pytest.raises(UsageError):
        Registry("shape", {}, unknown=UsageError).get("circle")


def test_a_library_that_comes_with_an_extra_is_installed_by_the_hint(shapes: Registry) -> None:
    with pytest.raises(ConfigError) as caught:
        shapes.get("needy")
    assert caught.value.message == "the needy shape needs the no_such_library package"
    assert caught.value.hint == "pip install 'openclaw-cli[nice]'"


def test_a_library_that_every_install_has_means_a_damaged_install(shapes: Registry) -> None:
    with pytest.raises(ConfigError) as caught:
        shapes.get("broken")
    assert caught.value.hint == "pip install --force-reinstall openclaw-cli"


def test_a_line_of_the_table_that_names_nothing_is_our_bug(shapes: Registry) -> None:
    with pytest.raises(ModuleNotFoundError):
        shapes.get("empty")


def test_who_imports_a_library_when_used_says_the_same(shapes: Registry) -> None:
    error = missing_library("shape", "needy", "no_such_library", "nice")
    with pytest.raises(ConfigError) as caught:
        shapes.get("needy")
    assert (error.message, error.hint) == (caught.value.message, caught.value.hint)


def test_another_package_adds_a_name(shapes: Registry, install: Install) -> None:
    install("acme", "oval", "tests_shapes_round:Oval")
    assert shapes.get("oval").__name__ == "Oval"
    assert shapes.names() == (*shapes.ours, "oval")


def test_another_package_cannot_take_a_name_of_ours(shapes: Registry, install: Install) -> None:
    install("mallory", "circle", "tests_shapes_faulty:Circle")
    assert shapes.get("circle").__name__ == "Circle"
    assert shapes.names() == shapes.ours


def test_two_packages_with_one_name_are_refused_rather_than_chosen_from(
    shapes: Registry, install: Install
) -> None:
    install("acme", "oval", "tests_shapes_round:Oval")
    install("mallory", "oval", "tests_shapes_faulty:Oval")
    with pytest.raises(ConfigError, match="two installed packages offer a shape called oval"):
        shapes.get("oval")


def test_a_package_that_fails_is_named_and_its_words_are_not_repeated(
    shapes: Registry, install: Install
) -> None:
    install("acme", "oval", "tests_shapes_faulty:Oval")
    with pytest.raises(ConfigError) as caught:
        shapes.get("oval")
    assert (
        caught.value.message == "the oval shape of the acme package cannot be loaded (RuntimeError)"
    )
    assert caught.value.hint == "pip install --upgrade acme"
    assert caught.value.__suppress_context__


def test_a_name_of_ours_costs_no_look_at_other_packages() -> None:
    program = (
        "import sys; from openclaw_cli import providers; "
        "providers.get('openai'); sys.exit('importlib.metadata' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
