"""The action, the container's recipe and the examples: what holds for them before they are run."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import SCRIPTS

ROOT = Path(__file__).parents[2]
CI = ROOT / "ci"
SCRIPTS_GIVEN = sorted(CI.rglob("*.sh"))
CONTAINERFILE = (CI / "Containerfile").read_text()


def action() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / "action.yml").read_text())
    assert isinstance(found, dict)
    return found


def judged(*line: str | Path) -> str:
    """Return what a checker says, nothing where it finds nothing."""
    program, *rest = line
    done = subprocess.run(
        [f"{SCRIPTS}/{program}", *rest], capture_output=True, text=True, check=False
    )
    return done.stdout if done.returncode else ""


def complaints(text: str, shell: str) -> str:
    """Return what ShellCheck says of a script, hints included."""
    line = [f"{SCRIPTS}/shellcheck", f"--shell={shell}", "-"]
    return subprocess.run(line, input=text, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("path", SCRIPTS_GIVEN, ids=lambda path: path.name)
def test_the_shell_is_sound(path: Path) -> None:
    text = path.read_text()
    shell = "bash" if "bash" in text.splitlines()[0] else "sh"
    subprocess.run([shell, "-n"], input=text, text=True, check=True)
    assert complaints(text, shell) == ""


def test_shell_that_is_not_sound_is_found() -> None:
    assert "SC2086" in complaints("#!/bin/bash\nrm -r $1\n", "bash")


@pytest.mark.parametrize(
    ("schema", "path", "broken"),
    [
        ("github-actions", ROOT / "action.yml", ("using:", "use:")),
        ("gitlab-ci", CI / "gitlab-ci.yml", ("artifacts:", "artefacts:")),
    ],
    ids=["action.yml", "gitlab-ci.yml"],
)
def test_who_is_given_it_accepts_it(
    schema: str, path: Path, broken: tuple[str, str], tmp_path: Path
) -> None:
    line = ("check-jsonschema", f"--builtin-schema=vendor.{schema}")
    assert judged(*line, path) == ""
    copy = tmp_path / path.name
    copy.write_text(path.read_text().replace(*broken))
    assert "::$" in judged(*line, copy)


def test_the_recipe_of_the_container_is_sound(tmp_path: Path) -> None:
    assert judged("hadolint", CI / "Containerfile") == ""
    broken = tmp_path / "Containerfile"
    broken.write_text(CONTAINERFILE.replace("WORKDIR /src", "WORKDIR src"))
    assert "DL3000" in judged("hadolint", broken)


def test_the_action_pastes_nothing_into_its_shell() -> None:
    steps = action()["runs"]["steps"]
    assert len(steps) == 2
    for step in steps:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
        named = re.search(r'"\$GITHUB_ACTION_PATH/(.*)"$', step["run"])
        assert named
        assert (ROOT / named[1]).is_file()


def test_each_input_of_the_action_is_described_and_used() -> None:
    found = action()
    used = str([step["env"] for step in found["runs"]["steps"]])
    for name, each in found["inputs"].items():
        assert each["description"].endswith((".", ".\n")), name
        assert each.get("required") or "default" in each
        assert f"inputs.{name} " in used


def instructions() -> list[tuple[str, str]]:
    """Return the lines of the recipe: the word, and what stands behind it."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", CONTAINERFILE))
    return [(line.split()[0], line.partition(" ")[2]) for line in joined.splitlines() if line]


def test_the_container_runs_as_nobody_special_and_ends_so() -> None:
    users = [rest for word, rest in instructions() if word == "USER"]
    assert users == ["10001:10001"]
    after = [word for word, _ in instructions()]
    assert "RUN" not in after[after.index("USER") :]
    assert f"--uid {users[0].partition(':')[0]} " in CONTAINERFILE


def test_the_build_of_the_container_is_given_no_secret_and_fetches_by_hash() -> None:
    for word, rest in instructions():
        assert word != "ADD", "ADD fetches and unpacks"
        if word in ("ARG", "ENV"):
            assert not re.search(r"(?i)key|secret|token|password", rest), rest
        if word == "RUN" and "pip install" in rest:
            for part in rest.split("&&"):
                hashed = "--require-hashes" in part or "--no-deps --no-build-isolation ." in part
                assert "pip install" not in part or hashed, part
    assert "--mount=type=secret" not in CONTAINERFILE
    assert not re.search(r"FROM \S+:latest|FROM [\w-]+$", CONTAINERFILE, re.MULTILINE)


def test_the_shell_of_the_container_is_sound() -> None:
    for word, rest in instructions():
        if word == "RUN":
            subprocess.run(["sh", "-n"], input=rest, text=True, check=True)
            assert complaints(f"{rest}\n", "sh") == ""


def test_the_build_of_the_container_sees_only_what_it_copies() -> None:
    ignore, *allowed = (ROOT / ".dockerignore").read_text().split()
    assert ignore == "*"
    copied = [rest.split()[:-1] for word, rest in instructions() if word == "COPY"]
    names = {each for words in copied for each in words if not each.startswith(("--from", "/opt"))}
    assert names == {each[1:] for each in allowed if each.startswith("!")}
    assert all((ROOT / name).exists() for name in names)


@pytest.mark.parametrize("path", [*CI.rglob("*"), ROOT / "action.yml"], ids=lambda path: path.name)
def test_each_variable_of_ours_that_is_named_there_is_one(path: Path) -> None:
    page = (ROOT / "docs" / "reference" / "environment-variables.md").read_text()
    if path.is_file():
        named = set(re.findall(r"\bOPENCLAW_[A-Z_]+\b", path.read_text()))
        assert [name for name in named if f"`{name}`" not in page] == []


@pytest.mark.parametrize(
    ("page", "file"),
    [("ci-gitlab", "gitlab-ci.yml"), ("ci-jenkins", "Jenkinsfile"), ("ci-shell", "job.sh")],
)
def test_a_page_shows_the_file_as_it_is_in_the_repository(page: str, file: str) -> None:
    assert (CI / file).read_text() in (ROOT / "docs" / "how-to" / f"{page}.md").read_text()


def test_the_page_uses_the_action_as_it_is() -> None:
    page = (ROOT / "docs" / "how-to" / "ci-github-actions.md").read_text()
    job = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])["jobs"]["deploy"]
    used = next(each for each in job["steps"] if each.get("id") == "openclaw")
    assert set(used["with"]) <= set(action()["inputs"])
    for name, each in action()["inputs"].items():
        assert f"| `{name}` |" in page
        assert name in used["with"] or not each.get("required")
