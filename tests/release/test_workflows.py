"""The workflows: what GitHub accepts, least rights, pinned actions, shell that was checked."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import SCRIPTS

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: (?:\./|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)")
MAY_WRITE = {
    ("release.yml", "attest"): {"attestations", "id-token"},
    ("release.yml", "publish"): {"id-token"},
    ("release.yml", "announce"): {"contents"},
}


def parsed(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text())
    assert isinstance(found, dict)
    return found


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for job in parsed(path)["jobs"].values():
            for step in job.get("steps", []):
                yield path.name, step


def shells() -> list[tuple[str, str]]:
    """Return every piece of shell in the repository: where it stands, and its text."""
    found = [
        (f"{name}: {step['run'][:40]}", step["run"]) for name, step in steps() if "run" in step
    ]
    scripts = [ROOT / ".ci" / "run", *sorted((ROOT / "scripts").glob("*.sh"))]
    return found + [(path.name, path.read_text()) for path in scripts]


def judged(*line: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a checker that came with what development needs."""
    program, *rest = line
    return subprocess.run(
        [f"{SCRIPTS}/{program}", *rest], capture_output=True, text=True, check=False
    )


def unsafe(*paths: Path) -> str:
    """Return what zizmor finds in workflows and actions."""
    done = judged("zizmor", "--offline", "--quiet", "--format=plain", *paths)
    return done.stdout if done.returncode else ""


def complaints(text: str) -> str:
    """Return what ShellCheck warns of in a script."""
    line = [f"{SCRIPTS}/shellcheck", "--shell=bash", "--severity=warning", "-"]
    return subprocess.run(line, input=text, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_is_allowed_but_what_a_job_needs(path: Path) -> None:
    found = parsed(path)
    assert found["permissions"] == {}
    for name, job in found["jobs"].items():
        writes = {right for right, how in job["permissions"].items() if how == "write"}
        assert writes == MAY_WRITE.get((path.name, name), set()), name
        assert set(job["permissions"].values()) <= {"read", "write"}
        assert "uses" in job or job["timeout-minutes"] <= 40


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    used = [line.strip() for line in path.read_text().splitlines() if "uses:" in line]
    assert used
    for line in used:
        assert PINNED.match(line.removeprefix("- ")), line


def test_github_accepts_them(tmp_path: Path) -> None:
    schema = "--builtin-schema=vendor.github-workflows"
    done = judged("check-jsonschema", schema, *WORKFLOWS)
    assert done.returncode == 0, done.stdout
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text().replace("runs-on:", "run-on:"))
    assert "run-on" in judged("check-jsonschema", schema, broken).stdout


def test_nothing_in_them_is_known_to_be_unsafe(tmp_path: Path) -> None:
    assert unsafe(*WORKFLOWS, ROOT / "action.yml") == ""
    broken = tmp_path / "broken.yml"
    pasted = "run: echo ${{ github.event.issue.title }}"
    broken.write_text(WORKFLOWS[0].read_text().replace("run: sudo", f"{pasted} # sudo"))
    assert "template-injection" in unsafe(broken)


def test_one_action_has_one_pin() -> None:
    pins: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for name, pin in re.findall(r"uses: ([\w/-]+)@(.+)$", path.read_text(), re.MULTILINE):
            pins.setdefault(name, set()).add(pin)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


def test_no_checkout_leaves_its_token_behind() -> None:
    checkouts = [step for _, step in steps() if "actions/checkout" in step.get("uses", "")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_nothing_that_others_choose_is_pasted_into_a_shell() -> None:
    assert [where for where, text in shells() if "${{" in text] == []


@pytest.mark.parametrize(("where", "text"), shells(), ids=[where for where, _ in shells()])
def test_the_shell_is_sound(where: str, text: str) -> None:
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    assert complaints(text) == "", where


def test_shell_that_is_not_sound_is_found() -> None:
    assert "SC2115" in complaints('rm -rf "$1/"*\n')
