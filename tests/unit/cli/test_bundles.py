"""A bundle: made for a job, read in it without a home, its records taken back."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from openclaw_cli import bundle
from openclaw_cli.audit import chain
from openclaw_cli.cli.secrets import bundles
from tests.conftest import SCRIPTS, Openclaw, Result

SLOW = {"OPENCLAW_NO_HOT": "1"}
ROADS = pytest.mark.parametrize("road", [{}, SLOW], ids=["fast", "slow"])


@dataclass(frozen=True)
class Job:
    """A job elsewhere: it has the bundle, its key and nothing else."""

    folder: Path
    key: str

    def __call__(
        self, *line: str, env: Mapping[str, str] | None = None, given: bytes = b""
    ) -> Result:
        environ = {
            "PATH": os.environ["PATH"],
            "OPENCLAW_BUNDLE": "ci.bundle",
            "OPENCLAW_BUNDLE_KEY": self.key,
            **(env or {}),
        }
        done = subprocess.run(
            [f"{SCRIPTS}/openclaw", *line],
            cwd=self.folder,
            env=environ,
            input=given,
            capture_output=True,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def job(openclaw: Openclaw, tmp_path: Path) -> Job:
    openclaw("secrets", "set", "deploy-token", input=b"hunter2", check=0)
    openclaw("secrets", "describe", "deploy-token", "--label", "variable=TOKEN", check=0)
    openclaw("secrets", "set", "binary", input=b"\0\xff\n\n", check=0)
    openclaw("secrets", "set", "not-for-jobs", input=b"crown jewels", check=0)
    folder = tmp_path / "job"
    folder.mkdir()
    out = str(folder / "ci.bundle")
    line = ("secrets", "export", "--sealed", "--for-ci", "deploy-token", "binary", "--output", out)
    return Job(folder, openclaw(*line, check=0).out.decode())


@ROADS
def test_the_job_reads_what_it_was_given_and_nothing_else(job: Job, road: dict[str, str]) -> None:
    done = job("secrets", "get", "deploy-token", env=road)
    assert (done.out, done.err, done.status) == (b"hunter2", b"", 0)
    assert job("secrets", "get", "binary", env=road).out == b"\0\xff\n"
    refused = job("secrets", "get", "not-for-jobs", env=road)
    assert refused.status == 3
    assert b"--for-ci not-for-jobs" in refused.err


@pytest.mark.parametrize("wish", ["--offline", "--no-cache", "--max-age=1h"])
def test_a_wish_about_copies_is_granted_since_there_are_none(job: Job, wish: str) -> None:
    done = job("secrets", "get", "deploy-token", wish)
    assert (done.out, done.err, done.status) == (b"hunter2", b"", 0)


def test_every_way_of_reading_works(job: Job) -> None:
    done = job("secrets", "run", "--env", "deploy-token", "--", "sh", "-c", "echo $TOKEN; env")
    assert b"hunter2" not in done.out
    assert job.key.encode() not in done.out
    assert b"[openclaw:deploy-token]" in done.out
    done = job("secrets", "inject", given=b"x={{ openclaw://deploy-token }}")
    assert done.out == b"x=hunter2"
    request = b'{"protocolVersion":1,"provider":"x","ids":["deploy-token"]}'
    assert job("secrets", "resolve", given=request).json()["values"] == {"deploy-token": "hunter2"}
    assert b"deploy-token" in job("secrets", "list").out
    assert job("status").status == 0
    assert job("doctor").status in (0, 10)
    assert job("status", "--json").json()["store"]["expires"]


def test_the_key_is_in_no_file_of_the_job_and_the_value_in_none(job: Job) -> None:
    job("secrets", "run", "--env", "K=deploy-token", "--", "true")
    for path in job.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert job.key.encode() not in data
            assert bytes.fromhex(job.key) not in data
            assert b"hunter2" not in data
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "line",
    [
        ("secrets", "set", "deploy-token"),
        ("secrets", "delete", "deploy-token"),
        ("secrets", "describe", "deploy-token", "--label", "a=b"),
        ("secrets", "rollback", "deploy-token"),
        ("store", "rekey"),
        ("store", "slots", "add", "recovery", "--recovery-file", "r"),
    ],
    ids=" ".join,
)
def test_nothing_in_it_can_be_changed(job: Job, line: tuple[str, ...]) -> None:
    before = (job.folder / "ci.bundle").read_bytes()
    done = job(*line, given=b"new value")
    assert done.status == 6
    assert b"can only be read" in done.err
    assert (job.folder / "ci.bundle").read_bytes() == before


@ROADS
@pytest.mark.parametrize(
    ("environ", "status", "said"),
    [
        ({"OPENCLAW_BUNDLE_KEY": ""}, 5, b"needs its key"),
        ({"OPENCLAW_BUNDLE_KEY": "00" * 32}, 5, b"the key does not open the bundle"),
        ({"OPENCLAW_BUNDLE_KEY": "0x"}, 4, b"OPENCLAW_BUNDLE_KEY does not hold a key"),
        ({"OPENCLAW_BUNDLE_KEY": "", "OPENCLAW_BUNDLE_KEY_FILE": "gone"}, 5, b"is not there"),
        ({"OPENCLAW_BUNDLE": "gone"}, 78, b"which does not exist"),
        ({"OPENCLAW_BUNDLE": "."}, 74, b"cannot"),
        ({"OPENCLAW_BUNDLE_OUTPUT": "/proc/nowhere"}, 9, b"export OPENCLAW_BUNDLE_OUTPUT="),
    ],
)
def test_what_is_missing_is_said(
    job: Job, road: dict[str, str], environ: dict[str, str], status: int, said: bytes
) -> None:
    done = job("secrets", "get", "deploy-token", env={**road, **environ})
    assert (done.status, done.out) == (status, b"")
    assert said in done.err


def test_a_damaged_bundle_is_refused(job: Job) -> None:
    path = job.folder / "ci.bundle"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert job("secrets", "list").status == 4
    path.write_bytes(data[:-1])
    assert job("secrets", "get", "deploy-token").status == 4
    path.write_bytes(b"no bundle")
    assert job("secrets", "get", "deploy-token").status == 4


def test_the_key_comes_by_a_file_or_a_descriptor_too(job: Job) -> None:
    path = job.folder / "key"
    path.write_text(job.key + "\n")
    path.chmod(0o600)
    by_file = {"OPENCLAW_BUNDLE_KEY": "", "OPENCLAW_BUNDLE_KEY_FILE": "key"}
    assert job("secrets", "get", "deploy-token", env=by_file).out == b"hunter2"
    path.chmod(0o644)
    assert job("secrets", "get", "deploy-token", env=by_file).status == 6
    environ = {"PATH": os.environ["PATH"], "OPENCLAW_BUNDLE": "ci.bundle"}
    words = ["sh", "-c", f"{SCRIPTS}/openclaw --key-fd 5 secrets get deploy-token 5< key"]
    done = subprocess.run(words, cwd=job.folder, env=environ, capture_output=True, check=True)
    assert done.stdout == b"hunter2"


def test_an_expired_one_gives_nothing(openclaw: Openclaw, job: Job, tmp_path: Path) -> None:
    out = str(tmp_path / "short")
    key = str(tmp_path / "short.key")
    line = ("secrets", "export", "--sealed", "deploy-token", "-o", out, "--key-file", key)
    assert openclaw(*line, "--expires", "1s", check=0).out == b""
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    environ = {
        "OPENCLAW_BUNDLE": out,
        "OPENCLAW_BUNDLE_KEY": "",
        "OPENCLAW_BUNDLE_KEY_FILE": key,
    }
    later = subprocess.run(
        ["faketime", "-f", "+1h", f"{SCRIPTS}/openclaw", "secrets", "get", "deploy-token"],
        cwd=job.folder,
        env={**os.environ, **environ},
        capture_output=True,
        check=False,
    )
    assert (later.returncode, later.stdout) == (6, b"")
    assert re.search(rb"expired (59 minutes|1 hour) ago", later.stderr)


def test_the_records_come_back_once_and_verified(openclaw: Openclaw, job: Job) -> None:
    job("secrets", "get", "deploy-token", env={"CI": "true"})
    job("secrets", "run", "--env", "K=binary", "--no-mask", "--", "true")
    output = str(job.folder / "ci.bundle.job")
    assert openclaw("secrets", "audit", "import", output, "--json").json()["records"] == 3
    assert openclaw("secrets", "audit", "import", output, "--json").json()["records"] == 0
    job("secrets", "get", "deploy-token")
    assert openclaw("secrets", "audit", "import", output, "--json").json()["records"] == 1
    openclaw("secrets", "audit", "verify", check=0)
    read = openclaw(
        "secrets", "audit", "--name", "deploy-token", "--action", "get", "--json"
    ).json()
    assert [event["backend"] for event in read["events"]] == ["bundle", "bundle"]
    assert read["events"][0]["actor"]["via"] == "ci"
    assert read["events"][0]["job_at"] < read["events"][0]["at"]
    made = openclaw("secrets", "audit", "--action", "bundle", "--json").json()["events"]
    assert made[0]["names"] == ["binary", "deploy-token"]


def test_the_field_that_a_job_asked_for_comes_back(openclaw: Openclaw, job: Job) -> None:
    job("secrets", "get", "deploy-token#user")
    openclaw("secrets", "audit", "import", str(job.folder / "ci.bundle.job"), check=0)
    last = openclaw("secrets", "audit", "--action", "get", "--json").json()["events"][-1]
    assert (last["name"], last["field"], last["outcome"]) == ("deploy-token", "user", "not_found")


def test_a_job_that_changed_its_records_is_told_on(openclaw: Openclaw, job: Job) -> None:
    job("secrets", "get", "deploy-token")
    trail = next(job.folder.rglob("trail.jsonl"))
    trail.write_bytes(trail.read_bytes().replace(b'"deploy-token"', b'"binary"'))
    done = openclaw("secrets", "audit", "import", str(trail), check=4)
    assert b"record 2 is not what it was" in done.err
    assert b"deploy-token" not in openclaw("secrets", "audit", "--action", "get").out


FORGED: list[dict[str, object]] = [
    {"kind": "secret_set", "name": "deploy-token", "phase": "intent"},
    {"kind": "trail_prune", "through": 1, "last": 1, "last_mac": "00" * 32},
    {"kind": "trail_seal", "segment": 1},
    {"kind": "secret_reveal", "name": "x", "actor": "nobody"},
    {"kind": "secret_reveal", "name": 7},
    {"kind": "secret_reveal", "name": "x", "field": 7},
]


@pytest.mark.parametrize("record", FORGED, ids=lambda each: str(each)[:40])
def test_who_has_the_key_of_a_bundle_can_write_nothing_but_readings(
    openclaw: Openclaw, job: Job, record: dict[str, object]
) -> None:
    job("secrets", "get", "deploy-token")
    trail = next(job.folder.rglob("trail.jsonl"))
    append(job, trail, record)
    done = openclaw("secrets", "audit", "import", str(trail), check=4)
    assert b"nothing was taken back" in done.err
    openclaw("secrets", "audit", "verify", check=0)


def test_fields_that_a_reading_does_not_have_are_left_behind(openclaw: Openclaw, job: Job) -> None:
    job("secrets", "get", "deploy-token")
    trail = next(job.folder.rglob("trail.jsonl"))
    extra = {
        "phase": "intent",
        "of": 1,
        "unexpected": "no",
        "note": "x",
        "actor": {"uid": 1, "x": 2},
    }
    append(job, trail, {"kind": "secret_reveal", "name": "deploy-token", "outcome": "ok", **extra})
    openclaw("secrets", "audit", "import", str(trail), check=0)
    last = openclaw("secrets", "audit", "--action", "read", "--json").json()["events"][-1]
    assert last["actor"] == {"uid": 1}
    assert not {"phase", "of", "unexpected", "note"} & set(last)
    openclaw("secrets", "set", "deploy-token", input=b"next", check=0)
    openclaw("secrets", "audit", "verify", check=0)


def append(job: Job, trail: Path, record: dict[str, object]) -> None:
    """Add a record that verifies, as somebody with the bundle's key can."""
    path = str(job.folder / "ci.bundle")
    key = bytes.fromhex(job.key)
    snapshot = bundle.opened(
        path, lambda header: (bundle.unlocked(header, key, path, time.time()), "bundle")
    )
    lines = trail.read_bytes().splitlines(keepends=True)
    stamp = {"seq": len(lines) + 1, "at": chain.written(time.time_ns() // 1000)}
    made = {**stamp, "actor": {"uid": 0}, **record}
    text, _ = chain.line(snapshot.index.audit_key, chain.mac_of(lines[-1]), made)
    snapshot.close()
    trail.write_bytes(b"".join([*lines, text]))


def test_what_another_store_made_or_is_no_trail_is_refused(
    openclaw: Openclaw, job: Job, tmp_path: Path
) -> None:
    job("secrets", "get", "deploy-token")
    trail = str(next(job.folder.rglob("trail.jsonl")))
    other = {"OPENCLAW_STATE_DIR": str(tmp_path / "other")}
    openclaw("secrets", "set", "x", input=b"x", env=other, check=0)
    openclaw("secrets", "audit", "import", trail, env=other, check=4)
    openclaw("secrets", "audit", "import", str(tmp_path / "state/audit/trail.jsonl"), check=2)
    openclaw("secrets", "audit", "import", str(tmp_path / "nothing"), check=3)
    openclaw("secrets", "audit", "import", str(tmp_path / "home"), check=3)


def test_two_readings_at_once_share_one_trail(job: Job, openclaw: Openclaw) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "OPENCLAW_BUNDLE": "ci.bundle",
        "OPENCLAW_BUNDLE_KEY": job.key,
    }
    line = [f"{SCRIPTS}/openclaw", "secrets", "get", "deploy-token"]
    running = [
        subprocess.Popen(line, cwd=job.folder, env=environ, stdout=subprocess.PIPE)
        for _ in range(8)
    ]
    assert [each.communicate()[0] for each in running] == [b"hunter2"] * 8
    done = openclaw("secrets", "audit", "import", str(job.folder / "ci.bundle.job"), "--json")
    assert done.json()["records"] >= 9


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (("--sealed", "deploy-token"), 2),
        (("--sealed", "--output", "{new}"), 2),
        (("--sealed", "nothing", "--output", "{new}"), 3),
        (("--sealed", "deploy-token", "--output", "{new}", "--expires", "2y"), 2),
        (("--sealed", "deploy-token", "--output", "{new}", "--expires", "soon"), 2),
        (("--sealed", "deploy-token", "--output", "{there}"), 11),
        (("--sealed", "deploy-token", "--output", "{new}", "--key-file", "{there}"), 74),
        (("deploy-token", "--expires", "1h"), 2),
        (("deploy-token", "--key-file", "{new}"), 2),
    ],
)
def test_a_bundle_that_cannot_be_made_leaves_nothing(
    openclaw: Openclaw, job: Job, tmp_path: Path, options: tuple[str, ...], status: int
) -> None:
    names = {"new": str(tmp_path / "new"), "there": str(job.folder / "ci.bundle")}
    line = [each.format(**names) for each in options]
    openclaw("secrets", "export", *line, check=status)
    assert not (tmp_path / "new").exists()


def test_a_key_that_is_there_is_used_again(openclaw: Openclaw, job: Job, tmp_path: Path) -> None:
    out, key = str(job.folder / "ci.bundle"), str(tmp_path / "ci.key")
    line = ("secrets", "export", "--sealed", "deploy-token", "-o", out, "--key-file", key)
    openclaw(*line, "--force", check=0)
    first, text = Path(out).read_bytes(), Path(key).read_text()
    again = Job(job.folder, text.strip())
    assert again("secrets", "get", "deploy-token").out == b"hunter2"
    openclaw("secrets", "set", "deploy-token", input=b"rotated", check=0)
    openclaw(*line, "--force", check=0)
    assert Path(key).read_text() == text
    assert Path(out).read_bytes() != first
    assert again("secrets", "get", "deploy-token").out == b"rotated"
    assert len(list((job.folder / "ci.bundle.job").iterdir())) == 2
    Path(key).chmod(0o644)
    openclaw(*line, "--force", check=6)
    assert again("secrets", "get", "deploy-token").out == b"rotated"


def test_a_bundle_whose_key_was_given_to_nobody_is_taken_away(
    openclaw: Openclaw, job: Job, tmp_path: Path
) -> None:
    assert job.key
    line = f"openclaw secrets export --sealed deploy-token --output {tmp_path}/new >/dev/full"
    done = subprocess.run(["sh", "-c", line], capture_output=True, check=False)
    assert done.returncode == 74
    assert not (tmp_path / "new").exists()
    openclaw("secrets", "export", "--sealed", "deploy-token", "--output", f"{tmp_path}/new")


@pytest.mark.parametrize("key_is_there", [False, True])
def test_a_bundle_whose_key_is_in_a_file_stays_when_the_answer_cannot_be_written(
    openclaw: Openclaw, job: Job, tmp_path: Path, *, key_is_there: bool
) -> None:
    out, key = tmp_path / "new", tmp_path / "ci.key"
    line = f"secrets export --sealed deploy-token --output {out} --key-file {key} --force --json"
    if key_is_there:
        openclaw(*line.split(), check=0)
    done = subprocess.run(["sh", "-c", f"openclaw {line} >/dev/full"], check=False)
    assert done.returncode == 74
    shutil.copy(out, job.folder / "ci.bundle")
    made = Job(job.folder, key.read_text().strip())
    assert made("secrets", "get", "deploy-token").out == b"hunter2"


def test_the_answer_for_machines_has_all_of_it(
    openclaw: Openclaw, job: Job, tmp_path: Path
) -> None:
    line = ["secrets", "export", "--for-ci", "deploy-token", "--output", f"{tmp_path}/new"]
    answer = openclaw(*line, "--json", check=0).json()
    shutil.copy(tmp_path / "new", job.folder / "ci.bundle")
    assert Job(job.folder, answer["key"])("secrets", "get", "deploy-token").out == b"hunter2"
    assert json.dumps(answer).count("hunter2") == 0
    assert answer["secrets"] == ["deploy-token"]
    assert bundles.EXPIRES == "24h"
