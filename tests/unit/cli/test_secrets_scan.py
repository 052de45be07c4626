"""`openclaw secrets scan`: what it looks at, what it says, and that it shows nothing."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import urllib.parse
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from openclaw_cli.interop import auth_store
from tests.conftest import SCRIPTS, Result
from tests.unit.interop import installation

Main = Callable[..., Result]

OWN = b"Zq8!wGt4~Lp7Xw"
KEY = "sk-proj-Xq3yVtG8mWbD2nKfLrTz"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    return made


def findings(result: Result) -> set[tuple[str, int, str]]:
    return {(each["path"], each["line"], each["rule"]) for each in result.json()["findings"]}


def git(*arguments: str) -> None:
    names = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")
    environment = {**os.environ, **dict.fromkeys(names, "ada")}
    subprocess.run(["git", *arguments], check=True, capture_output=True, env=environment)


def test_each_kind_is_found_with_its_line_and_no_part_of_it_is_shown(
    main: Main, work: Path
) -> None:
    main("secrets", "set", "db", input=OWN, check=0)
    (work / "a.py").write_bytes(b"\n\nx = '" + OWN + b"'\n")
    (work / "b.txt").write_text(f"key {KEY}\n")
    (work / "c.yaml").write_text("api_key: q8Xw3LmZ7pTr9VbN2kYd\n")
    (work / ".env").write_text("DB_PASSWORD=hunter2\nNAME=ada\nREF_KEY=openclaw://db\n")
    done = main("secrets", "scan", ".", "--json", check=10)
    assert findings(done) == {
        ("./a.py", 3, "own-value"),
        ("./b.txt", 1, "provider-key"),
        ("./c.yaml", 1, "likely-secret"),
        ("./.env", 1, "credential"),
    }
    for line in ((), ("--json",), ("--sarif",)):
        shown = main("secrets", "scan", ".", *line, check=10)
        everything = shown.out + shown.err
        for value in (OWN, KEY.encode(), b"q8Xw3LmZ7pTr9VbN2kYd", b"hunter2"):
            assert not any(value[at : at + 6] in everything for at in range(len(value) - 5))


def test_reading_our_values_for_it_is_recorded(main: Main, work: Path, state: Path) -> None:
    main("secrets", "set", "db", input=OWN, check=0)
    main("secrets", "scan", str(work), check=0)
    last = json.loads((state / "audit" / "trail.jsonl").read_text().splitlines()[-1])
    assert (last["kind"], last["name"], last["purpose"]) == ("secret_reveal", "db", "scan")


def risk(main: Main, name: str) -> int:
    rows = main("status", "--secrets", "--json").json()["secrets"]
    return int(next(each["risk"]["copies"] for each in rows if each["name"] == name))


def test_what_was_found_counts_in_the_exposure_until_there_is_a_new_value(
    main: Main, work: Path, state: Path
) -> None:
    for name in ("db", "other"):
        main("secrets", "set", name, input=OWN + name.encode(), check=0)
    assert (risk(main, "db"), risk(main, "other")) == (0, 0)
    (work / "a").write_bytes(OWN + b"db")
    main("secrets", "scan", "a", check=10)
    assert (risk(main, "db"), risk(main, "other")) == (30, 0)
    (work / "b").write_text("nothing")
    main("secrets", "scan", "b", check=0)  # it did not look where the copy is
    assert risk(main, "db") == 30
    (work / "a").write_text("mended")
    main("secrets", "scan", "a", check=0)
    assert risk(main, "db") == 0
    (work / "a").write_bytes(OWN + b"db")
    main("secrets", "scan", "a", check=10)
    main("secrets", "set", "db", input=b"another value", check=0)
    assert risk(main, "db") == 0
    trail = (state / "audit" / "trail.jsonl").read_text()
    assert '"kind":"leaks_noted"' in trail
    assert str(work) not in trail
    main("secrets", "audit", "verify", check=0)


def test_a_look_before_a_commit_changes_nothing_in_the_store(
    main: Main, work: Path, state: Path
) -> None:
    main("secrets", "set", "db", input=OWN, check=0)
    git("init", "-q")
    (work / "a").write_bytes(OWN)
    git("add", ".")
    before = (state / "secrets" / "store.oc").read_bytes()
    main("secrets", "scan", "--staged", check=10)
    assert (state / "secrets" / "store.oc").read_bytes() == before


def test_without_a_store_there_is_none_afterwards(main: Main, work: Path, state: Path) -> None:
    (work / "b.txt").write_text(KEY)
    main("secrets", "scan", ".", check=10)
    assert not (state / "secrets").exists()


def test_a_locked_store_is_said_and_the_rest_is_looked_for(
    main: Main, work: Path, state: Path
) -> None:
    main("secrets", "set", "db", input=OWN, check=0)
    (state / "secrets" / "key").unlink()
    (work / "a").write_bytes(OWN)
    (work / "b").write_text(KEY)
    done = main("secrets", "scan", ".", "--json", check=10)
    assert findings(done) == {("./b", 1, "provider-key")}
    assert b"the store is locked" in done.err


def test_the_usual_places_are_looked_at_without_a_path(main: Main, work: Path, state: Path) -> None:
    home = Path(os.environ["HOME"])
    places = [
        home / ".bash_history",
        home / ".local/share/fish/fish_history",
        home / ".claude/projects/x/session.jsonl",
        state / "openclaw.json.bak.2",
        state / "agents/main/sessions/s.jsonl",
        work / ".env.local",
    ]
    for each in places:
        each.parent.mkdir(parents=True, exist_ok=True)
        text = {".bak.2": f'{{a: {{token: "{KEY}"}}}}', ".local": f"A_KEY={KEY}"}
        each.write_text(next((text[end] for end in text if each.name.endswith(end)), KEY))
    (work / "other.txt").write_text(KEY)
    told = {path for path, _, _ in findings(main("secrets", "scan", "--json", check=10))}
    assert told == {*map(str, places[:-1]), ".env.local"}


def test_the_gateways_files_are_read_as_what_they_are(main: Main, work: Path) -> None:
    (work / "openclaw.json").write_text(
        """{ gateway: { auth: { token: "short" } }, // not random at all
  models: { providers: { x: { apiKey: "${X_KEY}", headers: { "X-Api-Key": "h", accept: "y" } },
    y: { apiKey: { source: "exec", provider: "p", id: "token" } } } },
  maxTokens: "1", secrets: { providers: { v: { token: "x" } } } }"""
    )
    profiles = {
        "version": 1,
        "profiles": {
            "a:b": {"type": "api_key", "provider": "a", "key": "k"},
            "a:c": {"type": "oauth", "provider": "a", "access": "k"},
        },
    }
    agent = work / "agents" / "main" / "agent"
    agent.mkdir(parents=True)
    (agent / "auth-profiles.json").write_text(json.dumps(profiles, indent=1))
    store = sqlite3.connect(agent / "openclaw-agent.sqlite")
    store.execute("CREATE TABLE auth_profile_store (store_key, store_json, updated_at)")
    row = ("primary", json.dumps(profiles), 1)
    row = (row[0], row[1].replace('"key": "k"', '"key": "other"'), row[2])
    store.execute("INSERT INTO auth_profile_store VALUES (?, ?, ?)", row)
    store.commit()
    store.close()
    assert findings(main("secrets", "scan", ".", "--json", check=10)) == {
        ("./openclaw.json", 1, "credential"),
        ("./openclaw.json", 2, "credential"),
        ("./agents/main/agent/auth-profiles.json", 7, "credential"),
        ("./agents/main/agent/openclaw-agent.sqlite", 0, "credential"),
    }


def test_a_secret_that_only_its_place_gives_away_is_found_in_each_file_of_a_gateway(
    main: Main, work: Path
) -> None:
    value = "hunter-7!"  # neither random nor of a known form
    config = {"gateway": {"auth": {"token": value}}}
    profile = {"a:b": {"type": "api_key", "provider": "a", "key": value}}
    texts = {
        json.dumps(config): (
            "openclaw.json",
            "openclaw.json.bak",
            "openclaw.json.bak.12",
            "clawdbot.json",
            "moltbot.json.old",
        ),
        f"CORP_LLM_KEY={value}\n": (".env", ".env.local", "prod.env", ".envrc", ".env.bak"),
        json.dumps({"version": 1, "profiles": profile}): (
            "agents/a/agent/auth-profiles.json",
            "agents/a/agent/auth-profiles.json.migrated-2026",
        ),
        json.dumps(profile): ("agents/a/agent/auth.json", "agents/a/agent/auth.json.bak"),
        json.dumps({"providers": {"a": {"apiKey": value}}}): ("agents/a/agent/models.json",),
    }
    (work / "agents" / "a" / "agent").mkdir(parents=True)
    for text, names in texts.items():
        for name in names:
            (work / name).write_text(text)
    wanted = {f"./{name}" for names in texts.values() for name in names}
    done = main("secrets", "scan", ".", "--json", check=10)
    assert {path for path, _, _ in findings(done)} == wanted
    assert value.encode() not in done.out + done.err


def test_links_devices_and_pipes_are_left_alone_and_the_unreadable_is_said(
    main: Main, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outside").write_text(KEY)
    (work / "link").symlink_to(tmp_path / "outside")
    (work / "loop").symlink_to(work)
    os.mkfifo(work / "pipe")
    main("secrets", "scan", ".", check=0)
    real = os.open

    def refusing(path: str, flags: int, *rest: int, **named: int) -> int:
        if path == "./closed":  # root may read everything, so a mode is no test
            raise PermissionError(13, "no")
        return real(path, flags, *rest, **named)

    (work / "closed").write_text(KEY)
    monkeypatch.setattr(os, "open", refusing)
    done = main("secrets", "scan", ".", check=8)
    assert b"./closed was not looked at: permission denied" in done.err


def test_a_file_with_two_names_is_looked_at_once(main: Main, work: Path) -> None:
    (work / "a").write_text(KEY)
    os.link(work / "a", work / "b")
    assert len(main("secrets", "scan", ".", "--json", check=10).json()["findings"]) == 1


def test_what_is_only_in_the_history_is_found_there(main: Main, work: Path) -> None:
    git("init", "-q")
    (work / "a").write_text(KEY)
    git("add", ".")
    git("commit", "-qm", "x")
    (work / "a").write_text("nothing")
    git("commit", "-qam", "y")
    done = main("secrets", "scan", ".", "--json", check=10).json()["findings"]
    assert [(each["path"], len(each["blob"])) for each in done] == [("a", 40)]
    main("secrets", "scan", ".", "--no-history", check=0)


def test_staged_is_what_will_be_committed_not_what_lies_there(main: Main, work: Path) -> None:
    git("init", "-q")
    (work / "a").write_text("fine")
    (work / "deep dir").mkdir()
    (work / "deep dir" / "b").write_text(f"\n{KEY}")
    git("add", ".")
    (work / "a").write_text(KEY)
    (work / "deep dir" / "b").write_text("mended, and not staged")
    done = main("secrets", "scan", "--staged", "--json", check=10)
    assert findings(done) == {("deep dir/b", 2, "provider-key")}
    git("add", "deep dir/b")
    main("secrets", "scan", "--staged", check=0)


@pytest.mark.usefixtures("work")
def test_staged_outside_of_a_repository_is_a_mistake(main: Main) -> None:
    assert b"not in a git work tree" in main("secrets", "scan", "--staged", check=2).err


def test_what_a_baseline_accepts_is_passed_over_and_a_value_of_ours_never_is(
    main: Main, work: Path
) -> None:
    main("secrets", "set", "db", input=OWN, check=0)
    (work / "a").write_text(KEY)
    line = ("secrets", "scan", "a", "b", "--baseline", "known.json")
    (work / "b").write_text("")
    main(*line, "--update-baseline", check=0)
    main(*line, check=0)
    (work / "a").write_text(f"moved down\n{KEY}")
    main(*line, check=0)
    (work / "b").write_text(KEY)
    assert findings(main(*line, "--json", check=10)) == {("b", 1, "provider-key")}
    (work / "b").write_bytes(OWN)
    main(*line, "--update-baseline", check=10)
    assert findings(main(*line, "--json", check=10)) == {("b", 1, "own-value")}
    kept = (work / "known.json").read_bytes()
    assert KEY.encode() not in kept
    assert OWN not in kept


def test_a_baseline_that_is_none_is_a_mistake(main: Main, work: Path) -> None:
    main("secrets", "scan", ".", "--baseline", "none.json", check=3)
    (work / "x.json").write_text("{}")
    main("secrets", "scan", ".", "--baseline", "x.json", check=78)
    main("secrets", "scan", ".", "--update-baseline", check=2)
    main("secrets", "scan", "nowhere", check=3)


def closed(**properties: object) -> dict[str, object]:
    """Return the schema of an object that has these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def several(items: object) -> dict[str, object]:
    return {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}


TEXT = {"type": "string", "minLength": 1}
MESSAGE = closed(text=TEXT)
PLACE = closed(
    artifactLocation=closed(uri={"type": "string", "format": "uri-reference"}),
    region=closed(startLine={"type": "integer", "minimum": 1}),
)
SARIF = closed(
    **{"$schema": TEXT},
    version={"const": "2.1.0"},
    runs=several(
        closed(
            tool=closed(
                driver=closed(
                    name=TEXT,
                    version=TEXT,
                    rules=several(closed(id=TEXT, shortDescription=MESSAGE)),
                )
            ),
            results=several(
                closed(
                    ruleId=TEXT,
                    level={"enum": ["none", "note", "warning", "error"]},
                    message=MESSAGE,
                    locations=several(closed(physicalLocation=PLACE)),
                    partialFingerprints={
                        "type": "object",
                        "additionalProperties": TEXT,
                        "minProperties": 1,
                    },
                )
            ),
        )
    ),
)
"""The part of SARIF 2.1.0's own schema that an answer of ours uses."""


def test_sarif_is_what_code_scanning_takes(main: Main, work: Path, tmp_path: Path) -> None:
    names = ["b.txt", "a b.txt", "100%.txt", "grün.txt", "x:y", "new\nline"]
    for name in names:
        (work / name).write_text(f"\n{KEY} {name}")
    answer = main("secrets", "scan", ".", str(work / "b.txt"), "--sarif", check=10).json()
    told, schema = tmp_path / "answer.json", tmp_path / "schema.json"
    told.write_text(json.dumps(answer))
    schema.write_text(json.dumps(SARIF))
    checker = [f"{SCRIPTS}/check-jsonschema", "--schemafile", str(schema), str(told)]
    checked = subprocess.run(checker, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    run = answer["runs"][0]
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {each["ruleId"] for each in run["results"]} <= known
    places = [each["locations"][0]["physicalLocation"] for each in run["results"]]
    uris = [each["artifactLocation"]["uri"] for each in places]
    assert sorted(map(urllib.parse.unquote, uris)) == sorted(names)
    assert all(re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", each) for each in uris)
    assert {each["region"]["startLine"] for each in places} == {2}
    run = main("secrets", "scan", str(work / "b.txt"), "--sarif", check=10).json()["runs"][0]
    place = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": f"file://{urllib.parse.quote(str(work))}/b.txt"}


@pytest.mark.slow
def test_a_large_tree_is_scanned_in_little_memory(work: Path) -> None:
    with (work / "large").open("wb") as file:
        block = (b"some text that is not a secret\n" * 4000)[:100_000]
        for _ in range(1500):
            file.write(block)
        file.write(b"\n" + KEY.encode())
    code = (
        "import re, sys; from openclaw_cli.cli.hot import main; "
        "main(['secrets', 'scan', '.', '--json']); "
        # Not getrusage: its peak is that of who forked, too.
        "status = open('/proc/self/status').read(); "
        "print(re.search('VmHWM:[^0-9]*([0-9]+)', status)[1], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert len(json.loads(done.stdout)["findings"]) == 1
    assert int(done.stderr) < 100 * 1024  # KiB


def test_in_a_partial_clone_what_it_lacks_is_said_and_nothing_is_fetched(
    main: Main, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("init", "-q")
    git("config", "uploadpack.allowFilter", "true")
    for text in (KEY, "mended"):
        (work / "a").write_text(text)
        git("add", ".")
        git("commit", "-qm", "x")
    clone = tmp_path / "clone"
    git("clone", "-q", "--filter=blob:none", f"file://{work}", str(clone))
    monkeypatch.chdir(clone)
    done = main("secrets", "scan", ".", check=8)
    assert b". was not looked at: 1 object of its history are not in this clone" in done.err
    (clone / "b").write_text(f"\n{KEY}")
    git("add", "b")
    assert findings(main("secrets", "scan", "--staged", "--json", check=10)) == {
        ("b", 2, "provider-key")
    }
    have = subprocess.run(
        ["git", "rev-list", "--objects", "--all", "--missing=print"],
        capture_output=True,
        check=True,
    )
    assert have.stdout.count(b"\n?") == 1


def test_a_staged_file_that_git_lacks_is_said(main: Main, work: Path) -> None:
    git("init", "-q")
    (work / "new\nline").write_text(KEY)
    (work / "a").write_text("fine")
    git("add", ".")
    done = main("secrets", "scan", "--staged", "--json", check=10).json()
    assert [each["path"] for each in done["findings"]] == ["new\nline"]
    lose(":a")
    git("rm", "-q", "--cached", "new\nline")
    done = main("secrets", "scan", "--staged", check=8)
    assert b"a was not looked at: its content is not in this clone" in done.err


@pytest.mark.usefixtures("work")
def test_a_submodule_that_is_added_is_not_looked_for(main: Main) -> None:
    git("init", "-q", "inner")
    git("-C", "inner", "commit", "-q", "--allow-empty", "-m", "x")
    git("init", "-q")
    git("add", "inner")
    assert (
        b"160000"
        in subprocess.run(["git", "ls-files", "-s"], capture_output=True, check=True).stdout
    )
    main("secrets", "scan", "--staged", check=0)


def test_a_database_that_somebody_holds_is_said(
    main: Main, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_store, "_SECONDS", 0.1)
    path = work / "agents" / "ops" / "agent" / "openclaw-agent.sqlite"
    installation.auth_store(path, "short")
    with closing(sqlite3.connect(path)) as holding:
        holding.execute("BEGIN EXCLUSIVE")
        done = main("secrets", "scan", str(path), check=8)
    assert b"cannot be read: the gateway holds it" in done.err
    main("secrets", "scan", str(path), check=10)


def trapped(made: Path, marks: Path) -> None:
    """Make a repository that has a program to run wherever git's settings can name one."""

    def trap(name: str) -> str:
        program = made.parent / f"trap-{name}"
        program.write_text(f"#!/bin/sh\ntouch {marks}/{name}\nfalse\n")
        program.chmod(0o755)
        return str(program)

    os.chdir(made)
    git("init", "-q", ".")
    Path(".gitattributes").write_text("*.txt filter=trap\n*.c diff=trap\n")
    for name in ("a.c", "b.txt", "d"):
        Path(name).write_text(f"this is {name}\n")
    git("add", ".")
    git("commit", "-q", "-m", "begin")
    Path("a.c").write_text("changed\n")
    Path("d").write_text("changed\n")
    git("add", "d")
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "core.askPass", "core.editor"):
        git("config", key, trap(key))
    for key in ("diff.external", "diff.trap.textconv", "filter.trap.clean", "filter.trap.smudge"):
        git("config", key, trap(key))
    for key in ("core.alternateRefsCommand", "credential.helper", "gpg.program"):
        git("config", key, trap(key))
    hooks = made.parent / "hooks"
    hooks.mkdir()
    os.symlink(trap("hook"), hooks / "post-index-change")
    os.symlink(trap("hook"), hooks / "reference-transaction")
    git("config", "core.hooksPath", str(hooks))
    git("config", "core.repositoryFormatVersion", "1")
    git("config", "extensions.partialClone", "origin")
    for remote, url in (("origin", str(made)), ("second", "ssh://127.0.0.1/x")):
        git("config", f"remote.{remote}.url", url)
        git("config", f"remote.{remote}.promisor", "true")
    git("config", "remote.origin.uploadpack", trap("uploadpack"))


def lose(name: str) -> None:
    blob = subprocess.run(["git", "rev-parse", name], capture_output=True, text=True, check=True)
    word = blob.stdout.strip()
    Path(".git", "objects", word[:2], word[2:]).unlink()


@pytest.mark.parametrize("lost", ["", "HEAD:b.txt", ":d"])
def test_a_scan_runs_no_program_that_the_scanned_repository_names(
    main: Main, work: Path, tmp_path: Path, lost: str
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    trapped(work, marks)
    if lost:
        lose(lost)
    for each in marks.iterdir():  # of making it
        each.unlink()
    # What is not there is not fetched, and said.
    assert main("secrets", "scan", ".").status == (8 if lost == "HEAD:b.txt" else 0)
    assert main("secrets", "scan", "--staged").status == (8 if lost == ":d" else 0)
    assert os.listdir(marks) == []
    # The traps are good ones: git falls into them when it is not held back.
    os.utime("b.txt", (1, 1))
    for line in ("status", "rev-list --objects --all", "cat-file -p :d", "add a.c"):
        subprocess.run(["git", *line.split()], capture_output=True, check=False)
    for line in ("diff HEAD", "diff --no-ext-diff HEAD -- a.c"):
        subprocess.run(["git", *line.split()], capture_output=True, check=False)
    fallen = {"core.fsmonitor", "filter.trap.clean", "diff.external", "diff.trap.textconv", "hook"}
    if lost:
        fallen |= {"uploadpack", "core.sshCommand"}
    assert fallen <= set(os.listdir(marks))
