"""A job that prints every secret it was given, in every way, shows none of them in its log."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.ci import jobs
from tests.ci.jobs import CI, Bundle, Runner, leaky, shown
from tests.conftest import Openclaw

pytestmark = pytest.mark.slow

GIVEN = {name: jobs.VARIABLES[name] for name in jobs.SECRETS}


@pytest.fixture
def made(openclaw: Openclaw, tmp_path: Path) -> Bundle:
    folder = tmp_path / "job"
    folder.mkdir()
    return jobs.bundle(openclaw, folder)


def pairs() -> list[str]:
    return [word for name, variable in GIVEN.items() for word in ("--env", f"{variable}={name}")]


def log_of(line: list[str], made: Bundle, check: int = 0, **given: str) -> bytes:
    """Run a job that has nothing but the bundle; return its log."""
    done = subprocess.run(
        line,
        env={
            "PATH": os.environ["PATH"],
            "OPENCLAW_BUNDLE": "ci.bundle",
            "OPENCLAW_BUNDLE_OUTPUT": "openclaw-records",
            **given,
        },
        cwd=made.path.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    assert done.returncode == check, done.stdout[-2000:]
    return done.stdout


def test_run_shows_nothing_of_what_its_program_prints(made: Bundle) -> None:
    line = ["openclaw", "secrets", "run", *pairs(), "--", *leaky()]
    log = log_of(line, made, OPENCLAW_BUNDLE_KEY=made.key)
    assert log.count(b"[openclaw:") > 100
    assert shown(log) == []
    assert made.key.encode() not in log


def test_without_the_mask_each_of_them_would_be_found(made: Bundle) -> None:
    line = ["openclaw", "secrets", "run", "--no-mask", *pairs(), "--", *leaky()]
    found = shown(log_of(line, made, OPENCLAW_BUNDLE_KEY=made.key))
    assert [each.partition(":")[0] for each in found] == list(jobs.SECRETS)


def leaky_deploy(made: Bundle) -> None:
    """Put in the job's place a `deploy.sh` that prints what it is given."""
    given = {name: name for name in ("TOKEN", "OPENAI_API_KEY")}
    (made.path.parent / "deploy.sh").write_text(f"exec {shlex.join(leaky(given))}\n")


def test_the_job_of_gitlab(made: Bundle) -> None:
    job = yaml.safe_load((CI / "gitlab-ci.yml").read_text())["deploy"]
    leaky_deploy(made)
    # As its runner does: one script, each line shown before it is run.
    said = "".join(f"echo {shlex.quote(f'$ {line}')}\n{line}\n" for line in job["script"])
    after = "\n".join(job["after_script"])
    line = ["bash", "-c", f"set -eo pipefail\n{said}\n{after}"]
    variables = {k: v for k, v in job["variables"].items() if k.startswith("OPENCLAW_")}
    log = log_of(line, made, **variables, OPENCLAW_BUNDLE_KEY=made.key)
    assert b"$ openclaw secrets run" in log
    assert shown(log) == []
    assert made.key.encode() not in log
    assert (made.path.parent / job["artifacts"]["paths"][0]).is_dir()


def test_the_key_is_what_gitlab_can_mask(made: Bundle) -> None:
    assert re.fullmatch(r"[A-Za-z0-9+/=@:.~_-]{8,}", made.key)


def test_the_job_of_jenkins_which_shows_each_command(made: Bundle) -> None:
    text = (CI / "Jenkinsfile").read_text()
    scripts = re.findall(r"sh '''(.*?)'''", text, re.DOTALL)
    assert len(scripts) == 1
    assert 'sh "' not in text  # there Groovy would put the value into the command
    leaky_deploy(made)
    (made.path.parent / "key").write_text(made.key)
    (made.path.parent / "key").chmod(0o600)
    variables = dict(re.findall(r"^\s+(OPENCLAW_\w+) = '(.*)'$", text, re.MULTILINE))
    assert variables
    log = log_of(["sh", "-xec", *scripts], made, **variables, OPENCLAW_BUNDLE_KEY_FILE="key")
    assert b"+ openclaw secrets run" in log
    assert shown(log) == []


def test_the_job_in_plain_shell(made: Bundle) -> None:
    given = {name: name for name in ("TOKEN", "OPENAI_API_KEY")}
    line = ["sh", str(CI / "job.sh"), *leaky(given)]
    assert shown(log_of(line, made, OPENCLAW_BUNDLE_KEY=made.key)) == []


@pytest.mark.parametrize(("key", "status"), [("0" * 64, 5), ("", 5)])
def test_the_job_in_plain_shell_ends_as_openclaw_does(key: str, status: int, made: Bundle) -> None:
    log_of(["sh", str(CI / "job.sh"), "true"], made, check=status, OPENCLAW_BUNDLE_KEY=key)


def test_the_job_in_plain_shell_ends_as_its_program_does(made: Bundle) -> None:
    line = ["sh", str(CI / "job.sh"), "sh", "-c", "exit 41"]
    log_of(line, made, check=41, OPENCLAW_BUNDLE_KEY=made.key)


# --- GitHub Actions ------------------------------------------------------------------------------


def secrets_step(runner: Runner, made: Bundle, **given: str) -> int:
    inputs = {"BUNDLE": str(made.path), "BUNDLE_KEY": made.key, "EXPORT": "", "RECORDS": ""}
    return runner.step(["bash", str(CI / "github" / "secrets.sh")], **{**inputs, **given})


def test_steps_of_github_after_the_action_show_nothing(made: Bundle, tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    assert (
        secrets_step(runner, made, EXPORT="deploy-token\n\nopenai-api-key\nsigning-key\nacc*\n")
        == 0
    )
    assert {name: runner.variables[GIVEN[name]] for name in GIVEN} == jobs.SECRETS
    assert runner.step(leaky()) == 0
    assert runner.log.count(b"***") > 100
    assert shown(runner.log) == []
    assert made.key.encode() not in runner.log


def test_without_its_masks_the_log_of_github_would_show_each(made: Bundle, tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    assert secrets_step(runner, made, EXPORT="*") == 0
    runner.masks = []
    assert runner.step(leaky()) == 0
    assert len(shown(runner.log)) == len(jobs.SECRETS)


def test_a_step_of_github_may_run_a_program_with_secrets(made: Bundle, tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    assert secrets_step(runner, made) == 0
    assert not set(GIVEN.values()) & set(runner.variables)
    assert runner.step(["openclaw", "secrets", "run", *pairs(), "--", *leaky()]) == 0
    assert shown(runner.log) == []
    assert Path(runner.outputs["records"]).is_dir()
    assert made.key not in runner.variables.values()
    key = Path(runner.variables["OPENCLAW_BUNDLE_KEY_FILE"])
    assert key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"BUNDLE_KEY": "0" * 64}, 5),
        ({"BUNDLE_KEY": ""}, 1),
        ({"BUNDLE": "no-such-bundle"}, 78),
        ({"EXPORT": "no-such-secret"}, 3),
        ({"RECORDS": "x\nPATH=/evil"}, 2),
    ],
)
def test_the_step_of_github_fails_as_openclaw_does_and_sets_nothing(
    given: dict[str, str], status: int, made: Bundle, tmp_path: Path
) -> None:
    runner = Runner(tmp_path)
    assert secrets_step(runner, made, **given) == status, runner.log
    assert "PATH" not in runner.variables
    assert not set(GIVEN.values()) & set(runner.variables)
    assert shown(runner.log) == []


@pytest.mark.nightly
@pytest.mark.integration
def test_the_action_as_a_runner_runs_it_installs_and_opens(made: Bundle, tmp_path: Path) -> None:
    """From its own file, step by step; it fetches what it locks, as pip is set up here."""
    whole = yaml.safe_load((jobs.ROOT / "action.yml").read_text())
    given = {name: each.get("default", "") for name, each in whole["inputs"].items()}
    given |= {"bundle": str(made.path), "key": made.key, "export": "deploy-token"}
    runner = Runner(tmp_path)
    for step in whole["runs"]["steps"]:
        env = {
            name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: given[found[1]], text)
            for name, text in step["env"].items()
        }
        line = [step["shell"], "-eo", "pipefail", "-c", step["run"]]
        assert runner.step(line, GITHUB_ACTION_PATH=str(jobs.ROOT), **env) == 0, runner.log
    assert (
        runner.step(["sh", "-c", f'test "$(command -v openclaw)" = {runner.paths[0]}/openclaw'])
        == 0
    )
    assert runner.step(leaky({"deploy-token": GIVEN["deploy-token"]})) == 0
    assert runner.log.count(b"***") > 30
    assert shown(runner.log) == []
    assert made.key.encode() not in runner.log
    assert Path(runner.outputs["records"]).is_dir()


def test_what_a_job_read_is_taken_back(made: Bundle, tmp_path: Path, openclaw: Openclaw) -> None:
    runner = Runner(tmp_path)
    assert secrets_step(runner, made, EXPORT="deploy-token") == 0
    openclaw("secrets", "audit", "import", runner.outputs["records"], check=0)
    taken = openclaw("secrets", "audit", "--json", check=0).json()["events"]
    assert [e for e in taken if e["kind"] == "secret_export" or e.get("bundle")]
