"""`openclaw store`: what a person does with the store itself."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from openclaw_cli.store.keys import passphrase, session
from tests.conftest import Result

Main = Callable[..., Result]

WORDS = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase, "MEMORY", 19 * 1024)
    monkeypatch.setattr(passphrase, "PASSES", 1)


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give sessions a folder of their own, in memory; return where they lie."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder, "openclaw")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def words(tmp_path: Path) -> str:
    file = tmp_path / "words"
    file.write_text(WORDS + "\n", encoding="utf-8")
    return str(file)


@pytest.fixture
def paper(tmp_path: Path) -> str:
    return str(tmp_path / "paper")


def trail(root: Path) -> list[dict[str, Any]]:
    lines = (root / "audit" / "trail.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def kinds(root: Path) -> list[str]:
    return [f"{each['kind']} {each.get('outcome', each.get('phase'))}" for each in trail(root)]


# init -------------------------------------------------------------------------------------------


def test_init_makes_a_store_with_a_key_file_and_a_recovery_key(
    main: Main, root: Path, paper: str
) -> None:
    main("store", "init", "--recovery-file", paper, check=0)
    assert [each["kind"] for each in main("store", "slots", "--json").json()["slots"]] == [
        "file",
        "recovery",
    ]
    assert os.stat(paper).st_mode & 0o777 == 0o600
    assert len(Path(paper).read_text(encoding="ascii").strip().split("-")) == 14
    assert kinds(root) == ["store_init ok"]
    main("store", "check", check=0)


def test_without_a_terminal_the_recovery_key_needs_a_place_or_a_no(main: Main, root: Path) -> None:
    refused = main("store", "init", check=2)
    assert b"--recovery-file FILE to keep it, or --no-recovery" in refused.err
    assert not root.exists()


def test_json_shows_the_recovery_key_once_and_nowhere_else(main: Main, root: Path) -> None:
    key = main("store", "init", "--json", check=0).json()["recovery_key"]
    for folder, _, files in os.walk(root):
        for name in files:
            assert key.encode() not in Path(folder, name).read_bytes()


def test_a_store_with_one_key_is_warned_about(main: Main) -> None:
    done = main("store", "init", "--no-recovery", check=0)
    assert b"if it is lost, so is every secret" in done.err
    assert main("store", "check", "--json", check=0).json()["advice"][0].startswith("only one key")


def test_a_second_init_is_a_conflict_and_changes_nothing(
    main: Main, root: Path, paper: str, tmp_path: Path
) -> None:
    main("store", "init", "--recovery-file", paper, check=0)
    before = (root / "secrets" / "store.oc").read_bytes()
    other = tmp_path / "other"
    assert b"already" in main("store", "init", "--recovery-file", str(other), check=11).err
    assert (root / "secrets" / "store.oc").read_bytes() == before
    assert not other.exists()


def test_a_recovery_file_that_exists_is_not_overwritten(
    main: Main, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("keep me", encoding="ascii")
    main("store", "init", "--recovery-file", str(tmp_path / "mine"), check=11)
    assert (tmp_path / "mine").read_text(encoding="ascii") == "keep me"
    assert not (root / "secrets" / "store.oc").exists()


def test_a_passphrase_store_has_no_key_file(main: Main, root: Path, words: str, paper: str) -> None:
    arguments = ("store", "init", "--key", "passphrase", "--passphrase-file", words)
    main(*arguments, "--recovery-file", paper, check=0)
    assert sorted(os.listdir(root / "secrets")) == ["lock", "store.oc"]
    locked = main("secrets", "set", "a", input=b"value", check=5)
    assert b"openclaw store unlock" in locked.err
    assert main("--no-input", "secrets", "get", "a").status == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--key", "recovery"), b"cannot begin with recovery"),
        (("--key", "nonsense"), b"cannot begin with nonsense"),
        (("--key", "file", "--no-key-file"), b"exclude each other"),
    ],
)
def test_a_first_key_that_makes_no_sense_is_refused(
    arguments: tuple[str, ...], said: bytes, main: Main, root: Path
) -> None:
    assert said in main("store", "init", "--no-recovery", *arguments, check=2).err
    assert not root.exists()


def test_a_short_passphrase_makes_no_store(main: Main, root: Path, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("too short", encoding="ascii")
    short = ("--key", "passphrase", "--passphrase-file", str(tmp_path / "short"))
    main("store", "init", "--no-recovery", *short, check=2)
    assert not (root / "secrets" / "store.oc").exists()


# unlock, lock -----------------------------------------------------------------------------------


@pytest.fixture
def locked(main: Main, words: str, paper: str, in_memory: Path) -> Path:
    """Make a store that needs a passphrase, with one secret; return where sessions lie."""
    arguments = ("store", "init", "--key", "passphrase", "--passphrase-file", words)
    main(*arguments, "--recovery-file", paper, check=0)
    main("store", "unlock", "--passphrase-file", words, check=0)
    main("secrets", "set", "a", input=b"value", check=0)
    main("store", "lock", check=0)
    return in_memory


def test_unlock_by_passphrase_keeps_it_open_until_lock(
    locked: Path, main: Main, words: str
) -> None:
    assert main("secrets", "get", "a").status == 5
    main("store", "unlock", "--passphrase-file", words, "--for", "1h", check=0)
    assert main("secrets", "get", "a", check=0).out == b"value"
    (kept,) = [each for each in locked.iterdir() if each.stat().st_size]
    assert kept.stat().st_mode & 0o777 == 0o600
    main("store", "lock", check=0)
    assert main("secrets", "get", "a").status == 5


@pytest.mark.usefixtures("locked")
def test_unlock_by_recovery_key_from_a_pipe_or_a_file(main: Main, paper: str, root: Path) -> None:
    typed = Path(paper).read_bytes().lower().replace(b"-", b" ")
    main("store", "unlock", "--recovery", input=typed, check=0)
    assert main("secrets", "get", "a", check=0).out == b"value"
    main("store", "lock", check=0)
    main("store", "unlock", "--recovery-file", paper, check=0)
    assert [each["slot"] for each in trail(root) if each["kind"] == "store_unlock"] == [
        "passphrase",
        "recovery",
        "recovery",
    ]


@pytest.mark.usefixtures("locked")
def test_a_wrong_key_is_5_and_says_only_that(main: Main, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("a wrong passphrase", encoding="ascii")
    wrong = main("store", "unlock", "--passphrase-file", str(tmp_path / "wrong"), check=5)
    assert wrong.err == b"openclaw: wrong passphrase\n"
    slip = main("store", "unlock", "--recovery", input=b"0000-0000", check=5)
    assert b"has 8 letters and digits, not 56" in slip.err


@pytest.mark.usefixtures("locked")
def test_a_session_ends_by_itself(main: Main, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    main("store", "unlock", "--passphrase-file", words, "--for", "1h", check=0)
    import time

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3601)
    assert main("secrets", "get", "a").status == 5


def test_a_session_that_others_could_read_is_not_used(locked: Path, main: Main, words: str) -> None:
    main("store", "unlock", "--passphrase-file", words, check=0)
    for each in locked.iterdir():
        each.chmod(0o640)
    assert main("secrets", "get", "a").status == 5


@pytest.mark.usefixtures("locked")
def test_a_key_is_not_left_on_a_disk(
    main: Main, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if session.in_memory(str(tmp_path)):
        return  # the whole of this machine's /tmp is memory
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    refused = main("store", "unlock", "--passphrase-file", words, check=5)
    assert b"is on a disk" in refused.err
    assert list((tmp_path / "run" / "openclaw").iterdir()) == []


# slots ------------------------------------------------------------------------------------------


def test_slots_are_added_listed_and_removed(main: Main, root: Path, words: str) -> None:
    main("secrets", "set", "a", input=b"value", check=0)
    main("store", "slots", "add", "passphrase", "--passphrase-file", words, check=0)
    listed = main("store", "slots", check=0).out.decode()
    assert "passphrase" in listed
    assert "19 MiB" in listed
    removed = main("store", "slots", "remove", "file", "--yes", check=0)
    assert b"one key slot is left" in removed.err
    assert main("secrets", "get", "a").status == 5
    assert (root / "secrets" / "key").exists()
    assert [each for each in kinds(root) if "slot" in each] == [
        "slot_add intent",
        "slot_add ok",
        "slot_remove intent",
        "slot_remove ok",
    ]


def test_the_last_slot_stays(main: Main) -> None:
    main("secrets", "set", "a", input=b"value", check=0)
    assert b"last key slot" in main("store", "slots", "remove", "file", check=11).err
    assert main("secrets", "get", "a", check=0).out == b"value"


def test_a_kind_that_names_two_slots_asks_for_the_id(main: Main, tmp_path: Path) -> None:
    main("secrets", "set", "a", input=b"value", check=0)
    for name in ("one", "two"):
        main("store", "slots", "add", "recovery", "--recovery-file", str(tmp_path / name), check=0)
    ids = [each["id"] for each in main("store", "slots", "--json").json()["slots"]]
    refused = main("store", "slots", "remove", "recovery", check=2)
    assert all(each.encode() in refused.err for each in ids[1:])
    main("store", "slots", "remove", ids[1], check=0)
    main("store", "slots", "remove", "nonsense", check=3)


def test_slots_are_listed_without_a_key(main: Main, root: Path) -> None:
    main("secrets", "set", "a", input=b"value", check=0)
    (root / "secrets" / "key").unlink()
    assert main("store", "slots", "--json", check=0).json()["slots"][0]["kind"] == "file"


def test_there_is_nothing_to_look_after_without_a_store(main: Main) -> None:
    for command in (("slots",), ("check",), ("backup", "x"), ("rekey",), ("unlock",), ("lock",)):
        assert b"there is no store" in main("store", *command, check=3).err


# rekey ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_memory")
def test_rekey_keeps_values_versions_slots_and_the_chain(
    main: Main, root: Path, words: str, paper: str
) -> None:
    main("store", "init", "--recovery-file", paper, check=0)
    main("store", "slots", "add", "passphrase", "--passphrase-file", words, check=0)
    for value in (b"one", b"two", b"three"):
        main("secrets", "set", "a", input=value, check=0)
    main("secrets", "delete", "a", check=0)
    main("secrets", "set", "b", input=b"b", check=0)
    before = (root / "secrets" / "store.oc").read_bytes()
    main("store", "rekey", "--passphrase-file", words, "--recovery-file", paper, check=0)
    checked = main("store", "check", "--json", check=0).json()
    assert (checked["epoch"], checked["versions"], checked["damage"]) == (2, 4, [])
    main("secrets", "restore", "a", check=0)
    assert main("secrets", "get", "a?version=2", check=0).out == b"two"
    assert "store_rekey ok" in kinds(root)
    now = (root / "secrets" / "store.oc").read_bytes()
    sealed = 12 + int.from_bytes(before[8:12], "big")  # behind the header, whose slots stay known
    assert not any(before[at : at + 32] in now for at in range(sealed, len(before) - 32, 32))
    (root / "secrets" / "key").unlink()
    main("store", "unlock", "--passphrase-file", words, "--for", "1m", check=0)
    main("store", "lock")
    main("store", "unlock", "--recovery-file", paper, "--for", "1m", check=0)
    main("store", "lock")


def test_rekey_needs_every_key_or_has_its_slot_dropped(main: Main, paper: str) -> None:
    main("store", "init", "--recovery-file", paper, check=0)
    refused = main("store", "rekey", check=2)
    assert b"openclaw store rekey --drop" in refused.err
    assert main("store", "check", "--json").json()["epoch"] == 1
    main("store", "rekey", "--drop", "recovery", check=0)
    assert main("store", "check", "--json").json()["slots"] == ["file"]


def test_rekey_forgets_the_session(main: Main, in_memory: Path) -> None:
    main("secrets", "set", "a", input=b"value", check=0)
    main("store", "unlock", check=0)
    assert any(in_memory.iterdir())
    main("store", "rekey", check=0)
    assert main("store", "lock", "--json").json() == {"schema": 1, "locked": False}


# backup, restore --------------------------------------------------------------------------------


def test_a_backup_is_sealed_private_and_says_where_the_key_is(
    main: Main, root: Path, tmp_path: Path
) -> None:
    main("secrets", "set", "a", input=b"canary-value", check=0)
    file = tmp_path / "b.oc"
    os.umask(0)
    done = main("store", "backup", str(file), check=0)
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"canary-value" not in file.read_bytes()
    assert b"the key is not in it" in done.err
    assert str(root / "secrets" / "key").encode() in done.err
    assert kinds(root)[-1] == "store_backup ok"
    assert file.read_bytes() == (root / "secrets" / "store.oc").read_bytes()


def test_a_backup_overwrites_only_with_force(main: Main, tmp_path: Path) -> None:
    main("secrets", "set", "a", input=b"value", check=0)
    file = tmp_path / "b.oc"
    file.write_bytes(b"mine")
    main("store", "backup", str(file), check=11)
    assert file.read_bytes() == b"mine"
    main("store", "backup", str(file), "--force", check=0)
    assert file.read_bytes().startswith(b"OCSTORE1")
    assert sorted(each.name for each in tmp_path.iterdir() if "b.oc" in each.name) == ["b.oc"]


def test_a_backup_can_be_piped(main: Main, root: Path) -> None:
    main("secrets", "set", "a", input=b"value", check=0)
    piped = main("store", "backup", "-", check=0)
    assert piped.out == (root / "secrets" / "store.oc").read_bytes()


@pytest.fixture
def backup(main: Main, tmp_path: Path, paper: str) -> Path:
    """Make a store with a secret and a backup of it, then a newer version."""
    main("store", "init", "--recovery-file", paper, check=0)
    main("secrets", "set", "a", input=b"old", check=0)
    file = tmp_path / "backup.oc"
    main("store", "backup", str(file), check=0)
    main("secrets", "set", "a", input=b"new", check=0)
    main("secrets", "set", "later", input=b"x", check=0)
    return file


def test_restore_goes_back_and_the_trail_goes_on(backup: Path, main: Main, root: Path) -> None:
    before = len(trail(root))
    refused = main("store", "restore", str(backup), check=2)
    assert b"add --yes" in refused.err
    main("store", "restore", str(backup), "--yes", check=0)
    assert main("secrets", "get", "a", check=0).out == b"old"
    main("secrets", "get", "later", check=3)
    assert kinds(root)[before : before + 2] == ["store_restore intent", "store_restore ok"]
    main("secrets", "set", "a", input=b"newest", check=0)
    assert main("secrets", "get", "a", check=0).out == b"newest"
    assert main("store", "check", "--json", check=0).json()["damage"] == []


def test_a_backup_restored_twice_is_newer_each_time(backup: Path, main: Main) -> None:
    generations = [
        main("store", "restore", str(backup), "--yes", "--json", check=0).json()["generation"]
        for _ in range(3)
    ]
    assert generations == sorted(set(generations))


def test_a_backup_copied_over_the_store_is_refused_but_restored_with_its_command(
    backup: Path, main: Main, root: Path
) -> None:
    shutil.copyfile(backup, root / "secrets" / "store.oc")
    main("secrets", "get", "a", check=4)
    main("store", "restore", str(backup), "--yes", check=0)
    assert main("secrets", "get", "a", check=0).out == b"old"


def test_a_new_machine_adopts_a_backup_with_the_key_file(
    backup: Path, main: Main, root: Path, tmp_path: Path
) -> None:
    key = (root / "secrets" / "key").read_bytes()
    shutil.move(root, tmp_path / "old-machine")
    (root / "secrets").mkdir(parents=True)
    (root / "secrets" / "key").write_bytes(key)
    done = main("store", "restore", str(backup), check=0)
    assert b"lacks the records 1 to" in done.err
    assert main("secrets", "get", "a", check=0).out == b"old"
    assert kinds(root)[:2] == ["store_restore intent", "store_restore ok"]
    main("store", "check", check=0)


@pytest.mark.usefixtures("in_memory")
def test_a_new_machine_adopts_a_backup_with_the_recovery_key(
    backup: Path, main: Main, root: Path, tmp_path: Path, paper: str
) -> None:
    shutil.move(root, tmp_path / "old-machine")
    locked = main("store", "restore", str(backup), check=5)
    assert b"backup.oc --recovery" in locked.err
    main("store", "restore", str(backup), "--recovery-file", paper, check=0)
    main("store", "unlock", "--recovery-file", paper, "--for", "1m", check=0)
    main("store", "slots", "add", "file", check=0)
    main("store", "lock", check=0)
    assert main("secrets", "get", "a", check=0).out == b"old"
    ids = [each["id"] for each in main("store", "slots", "--json").json()["slots"]]
    assert main("store", "check", check=10).err.count(ids[0].encode()) == 1
    main("store", "slots", "remove", ids[0], check=0)
    main("store", "check", check=0)


def test_another_store_is_replaced_only_when_told_and_kept_aside(
    backup: Path, main: Main, root: Path, tmp_path: Path, paper: str
) -> None:
    shutil.move(root, tmp_path / "old-machine")
    main("secrets", "set", "mine", input=b"precious", check=0)
    mine = (root / "secrets" / "store.oc").read_bytes()
    from_paper = ("--recovery-file", paper, "--yes")
    refused = main("store", "restore", str(backup), *from_paper, check=11)
    assert b"--replace" in refused.err
    assert (root / "secrets" / "store.oc").read_bytes() == mine
    main("store", "restore", str(backup), *from_paper, "--replace", check=0)
    assert (root / "secrets" / "store.oc.replaced").read_bytes() == mine
    (aside,) = [each for each in (root / "audit").iterdir() if each.is_dir()]
    assert {"head", "trail.jsonl"} <= {each.name for each in aside.iterdir()}


def test_a_damaged_store_and_trail_are_restored_over(backup: Path, main: Main, root: Path) -> None:
    (root / "secrets" / "store.oc").write_bytes(b"nothing of use")
    (root / "audit" / "trail.jsonl").write_bytes(b"nor here\n")
    main("secrets", "get", "a", check=4)
    main("store", "restore", str(backup), "--yes", check=0)
    assert main("secrets", "get", "a", check=0).out == b"old"
    assert (root / "secrets" / "store.oc.replaced").read_bytes() == b"nothing of use"


def test_a_store_that_was_removed_is_restored_onto_its_trail(
    backup: Path, main: Main, root: Path
) -> None:
    (root / "secrets" / "store.oc").unlink()
    assert b"openclaw store restore BACKUP" in main("secrets", "get", "a", check=4).err
    assert b"openclaw store restore BACKUP" in main("store", "init", "--no-recovery", check=4).err
    main("store", "restore", str(backup), "--yes", check=0)
    assert "store_restore ok" in kinds(root)


@pytest.mark.parametrize("what", ["nothing", "directory", "rubbish"])
def test_what_is_no_backup_is_refused(what: str, main: Main, root: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    if what == "directory":
        file.mkdir()
    elif what == "rubbish":
        file.write_bytes(b"rubbish")
    main("store", "restore", str(file), check={"nothing": 3, "directory": 2, "rubbish": 4}[what])
    assert not root.exists()


# accept-rollback --------------------------------------------------------------------------------


def test_nothing_put_back_is_nothing_to_accept(main: Main, root: Path) -> None:
    main("secrets", "set", "a", input=b"value", check=0)
    before = kinds(root)
    assert b"nothing was put back" in main("store", "accept-rollback", check=0).err
    assert kinds(root) == before


def test_an_old_store_is_accepted_after_a_yes_and_written_down(main: Main, root: Path) -> None:
    main("secrets", "set", "a", input=b"old", check=0)
    old = (root / "secrets" / "store.oc").read_bytes()
    main("secrets", "set", "a", input=b"new", check=0)
    (root / "secrets" / "store.oc").write_bytes(old)
    assert b"was put back" in main("store", "accept-rollback", check=2).err
    main("secrets", "get", "a", check=4)
    main("store", "accept-rollback", "--yes", check=0)
    assert main("secrets", "get", "a", check=0).out == b"old"
    assert "rollback_accepted ok" in kinds(root)
    main("store", "check", check=0)
    (root / "secrets" / "store.oc").write_bytes(old)
    main("secrets", "get", "a", check=4)


def test_an_old_trail_is_accepted_with_the_numbers_that_it_lacks(main: Main, root: Path) -> None:
    main("secrets", "set", "a", input=b"old", check=0)
    shutil.copytree(root / "audit", root / "audit-before")
    main("secrets", "set", "a", input=b"new", check=0)
    shutil.rmtree(root / "audit")
    shutil.move(root / "audit-before", root / "audit")
    main("secrets", "get", "a", check=4)
    lost = main("store", "accept-rollback", "--yes", "--json", check=0).json()
    assert lost["lost_to"] >= lost["lost_from"] > 1
    assert main("secrets", "get", "a", check=0).out == b"new"


def test_a_lost_trail_begins_anew(main: Main, root: Path) -> None:
    main("secrets", "set", "a", input=b"value", check=0)
    shutil.rmtree(root / "audit")
    main("secrets", "get", "a", check=4)
    main("store", "accept-rollback", "--yes", check=0)
    assert main("secrets", "get", "a", check=0).out == b"value"
    assert trail(root)[0]["kind"] == "rollback_accepted"
    assert trail(root)[0]["lost_from"] == 1


def test_a_broken_trail_is_kept_aside(main: Main, root: Path) -> None:
    main("secrets", "set", "a", input=b"value", check=0)
    file = root / "audit" / "trail.jsonl"
    broken = file.read_bytes().replace(b'"outcome":"ok"', b'"outcome":"no"')
    file.write_bytes(broken)
    (root / "audit" / "head").write_bytes(b"x" * 167)
    main("secrets", "get", "a", check=4)
    aside = main("store", "accept-rollback", "--yes", "--json", check=0).json()["trail_aside"]
    assert Path(aside, "trail.jsonl").read_bytes() == broken
    assert main("secrets", "get", "a", check=0).out == b"value"
    main("store", "check", check=0)


# with an anchor elsewhere -----------------------------------------------------------------------


@pytest.fixture
def anchored(main: Main, tmp_path: Path) -> Path:
    """Make a store whose newest state is known in a file outside the state directory."""
    anchor = tmp_path / "elsewhere" / "anchor"
    anchor.parent.mkdir(mode=0o700)
    main("secrets", "set", "a", input=b"old", check=0)
    main("config", "set", "store.anchor", f"file:{anchor}", check=0)
    main("secrets", "set", "a", input=b"older", check=0)
    assert anchor.exists()
    return anchor


@pytest.mark.usefixtures("anchored")
def test_everything_put_back_is_seen_by_an_anchor_and_accepted_above_it(
    main: Main, root: Path, tmp_path: Path
) -> None:
    shutil.copytree(root, tmp_path / "snapshot")
    main("secrets", "set", "a", input=b"new", check=0)
    main("secrets", "set", "a", input=b"newer", check=0)
    shutil.rmtree(root)
    shutil.copytree(tmp_path / "snapshot", root)
    assert b"the anchor" in main("secrets", "get", "a", check=4).err
    main("store", "accept-rollback", "--yes", check=0)
    assert main("secrets", "get", "a", check=0).out == b"older"
    main("store", "check", check=0)
    main("secrets", "set", "a", input=b"newest", check=0)


@pytest.mark.usefixtures("anchored")
def test_a_restore_goes_above_the_anchor(main: Main, root: Path, tmp_path: Path) -> None:
    backup = str(tmp_path / "b.oc")
    main("store", "backup", backup, check=0)
    main("secrets", "set", "a", input=b"new", check=0)
    shutil.rmtree(root / "audit")
    main("store", "restore", backup, "--yes", check=0)
    assert main("secrets", "get", "a", check=0).out == b"older"
    main("store", "check", check=0)


def test_a_check_counts_what_it_verified_and_sees_a_changed_record(main: Main, root: Path) -> None:
    main("secrets", "set", "a", input=b"value", check=0)
    main("secrets", "get", "a", check=0)
    checked = main("store", "check", "--json", check=0).json()
    assert (checked["records"], checked["versions"]) == (len(trail(root)), 1)
    file = root / "audit" / "trail.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"store_init"', b'"store_tini"'))
    broken = main("store", "check", "--json", check=4).json()
    assert len(broken["damage"]) == 1
