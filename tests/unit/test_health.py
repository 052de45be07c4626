"""What needs a hand is found, with the command that mends it; what does not is left in peace."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from openclaw_cli import health, states
from openclaw_cli.changes import Changes
from openclaw_cli.errors import IntegrityError
from openclaw_cli.model import SecretValue
from openclaw_cli.names import parse
from openclaw_cli.service import Secrets
from openclaw_cli.settings import Settings
from openclaw_cli.store.directory import Entry, Row
from openclaw_cli.store.header import Slot
from openclaw_cli.store.index import Place

NOW = 1_800_000_000.0
DAY = 86400
VALUE = SecretValue(b"value")
# The shape of a key, made up.
KEY = b"sk-ant-api03-" + b"Ab1-" * 23 + b"xAA"


def entry(name: str, *, age: float, deleted_for: float | None = None) -> Entry:
    made = int((NOW - age) * 1000)
    found = Entry(name, "", made)
    found.rows.append(Row(1, "current", made, made, "set", Place(0, 0, bytes(16))))
    if deleted_for is not None:
        found.deleted = int((NOW - deleted_for) * 1000)
    return found


def whats(found: list[health.Finding]) -> set[str]:
    return {each.what for each in found}


def found_in(secrets: Secrets) -> list[health.Finding]:
    seen = health.look(secrets.home, secrets)
    return health.findings(seen, secrets.home, Settings({}, {}), time.time())


def test_nothing_is_made_by_looking_where_there_is_nothing(secrets: Secrets) -> None:
    seen = health.look(secrets.home, secrets)
    assert (seen.there, seen.trouble, seen.locked) == (False, None, "")
    assert found_in(secrets) == []
    assert not os.path.exists(secrets.home.root)


def test_a_look_says_what_there_is(secrets: Secrets, changes: Changes) -> None:
    changes.create("a", VALUE)
    changes.create("b", VALUE)
    changes.delete("b")
    seen = health.look(secrets.home, secrets)
    assert [each.name for each in seen.alive] == ["a"]
    assert [each.name for each in seen.deleted] == ["b"]
    assert seen.opened_by == "file"
    assert seen.verified
    assert seen.head is not None
    assert seen.header is not None
    assert seen.head.seq == len(Path(seen.trail, "trail.jsonl").read_bytes().splitlines())
    assert seen.header.generation > 1
    assert seen.size == os.path.getsize(seen.store)


def test_a_look_records_nothing_and_changes_nothing(secrets: Secrets, changes: Changes) -> None:
    changes.create("a", VALUE)
    before = {
        path: path.read_bytes() for path in Path(secrets.home.root).rglob("*") if path.is_file()
    }
    found_in(secrets)
    health.last_reads(secrets.home.audit)
    after = {
        path: path.read_bytes() for path in Path(secrets.home.root).rglob("*") if path.is_file()
    }
    assert before == after


def test_a_locked_store_is_looked_at_from_outside(secrets: Secrets, changes: Changes) -> None:
    changes.create("a", VALUE)
    Path(secrets.home.secrets, "key").unlink()
    seen = health.look(secrets.home, secrets)
    assert seen.locked
    assert seen.trouble is None
    assert seen.opened_by == ""
    assert seen.header is not None
    assert [slot.kind for slot in seen.header.slots] == ["file"]


@pytest.mark.parametrize("name", ["secrets/store.oc", "audit/trail.jsonl", "audit/head"])
def test_a_flipped_bit_is_trouble_and_is_told(
    secrets: Secrets, changes: Changes, name: str
) -> None:
    changes.create("a", VALUE)
    path = Path(secrets.home.root, name)
    data = bytearray(path.read_bytes())
    data[-70] ^= 1
    path.write_bytes(data)
    assert isinstance(health.look(secrets.home, secrets).trouble, IntegrityError)


def test_a_store_that_went_away_from_its_trail_is_trouble(
    secrets: Secrets, changes: Changes
) -> None:
    changes.create("a", VALUE)
    Path(secrets.home.secrets, "store.oc").unlink()
    assert isinstance(health.look(secrets.home, secrets).trouble, IntegrityError)


def test_one_key_needs_a_hand_and_a_key_beside_the_store_is_advice(
    secrets: Secrets, changes: Changes
) -> None:
    changes.create("a", VALUE)
    by_word = {each.what: each for each in found_in(secrets)}
    assert by_word["one-key"].severity == health.ATTENTION
    assert by_word["one-key"].hint == "openclaw store slots add recovery"
    assert by_word["key-beside-store"].severity == health.ADVICE


def test_a_second_key_and_a_key_elsewhere_need_no_hand(
    secrets: Secrets, changes: Changes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes.create("a", VALUE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    Path(secrets.home.secrets, "key").rename(elsewhere / "key")
    monkeypatch.setenv("OPENCLAW_STORE_KEY_FILE", str(elsewhere / "key"))
    seen = health.look(secrets.home, secrets)
    assert seen.header is not None
    seen.header.slots.append(Slot(b"12345678", "recovery", {}, b""))
    assert health.of_keys(seen, secrets.home) == []


@pytest.mark.parametrize(
    ("path", "mode", "mend"),
    [
        ("secrets", 0o750, "chmod 700"),
        ("audit", 0o705, "chmod 700"),
        ("secrets/store.oc", 0o644, "chmod 600"),
        ("secrets/key", 0o640, "chmod 600"),
        ("audit/trail.jsonl", 0o604, "chmod 600"),
        (".", 0o777, "chmod go-w"),
    ],
)
def test_weak_permissions_are_found_with_their_mend(
    secrets: Secrets, changes: Changes, path: str, mode: int, mend: str
) -> None:
    changes.create("a", VALUE)
    assert health.of_permissions(secrets.home) == []
    full = os.path.normpath(f"{secrets.home.root}/{path}")
    os.chmod(full, mode)
    (finding,) = health.of_permissions(secrets.home)
    assert finding.severity == health.BAD
    assert finding.hint == f"{mend} {full}"
    os.chmod(full, 0o700)


def test_a_link_in_place_of_a_file_is_found(secrets: Secrets, changes: Changes) -> None:
    changes.create("a", VALUE)
    key = Path(secrets.home.secrets, "key")
    key.rename(key.with_name("moved"))
    key.symlink_to("moved")
    assert "symbolic link" in health.of_permissions(secrets.home)[0].why


def test_old_values_are_found_and_young_ones_are_not() -> None:
    entries = [entry("young", age=89 * DAY), entry("b", age=91 * DAY), entry("a", age=400 * DAY)]
    (finding,) = health.of_age(entries, NOW, 90)
    assert finding.why == "2 values are older than 90 days: a, b"
    assert finding.hint == "openclaw secrets set a"
    assert health.of_age(entries[:1], NOW, 90) == []
    assert [states.state(each, NOW, 90) for each in entries] == ["ok", "old", "old"]


def test_many_names_are_cut_short() -> None:
    entries = [entry(f"n{number}", age=100 * DAY) for number in range(9)]
    assert health.of_age(entries, NOW, 90)[0].why.endswith(": n0, n1, n2 and 6 more")


def test_deleted_secrets_are_told_of_in_their_last_week() -> None:
    entries = [
        entry("early", age=0, deleted_for=22 * DAY),
        entry("late", age=0, deleted_for=25 * DAY),
    ]
    (finding,) = health.of_deletion(entries, NOW, 30)
    assert finding.why == "1 deleted secret is gone for good within 5d: late"
    assert finding.hint == "openclaw secrets restore late"
    assert health.of_deletion(entries[:1], NOW, 30) == []
    assert states.state(entries[0], NOW, 90) == "deleted"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("openclaw.json", b'{"models": {\n "anthropic": {"apiKey": "%s"}}}'),
        ("openclaw.json.bak", b"\n{apiKey: '%s'}"),
        (".env", b"# x\nANTHROPIC_API_KEY=%s\n"),
    ],
)
def test_a_key_in_plain_text_is_found_with_its_line_and_never_shown(
    secrets: Secrets, changes: Changes, name: str, text: bytes
) -> None:
    changes.create("a", VALUE)
    Path(secrets.home.root, name).write_bytes(text.replace(b"%s", KEY))
    (finding,) = health.of_plaintext(secrets.home)
    assert finding.what == "plaintext"
    assert finding.why.endswith(f"{name}, line 2")
    assert "Anthropic" in finding.why
    assert KEY.decode() not in repr(finding)


def test_the_hint_for_a_named_value_in_plain_text_ends_when_the_store_has_it(
    secrets: Secrets,
) -> None:
    path = f"{secrets.home.root}/openclaw.json"
    named = {name: {"origin": f"{path}:1", "keys": ["x"]} for name in ("one", "two")}

    def hint(*kept: str) -> str:
        (finding,) = health.of_plaintext(secrets.home, named, kept)
        return finding.hint

    assert hint() == "openclaw secrets migrate"
    assert hint("one") == "openclaw secrets migrate"
    assert hint("one", "two") == f"the store has them: take them out of {path}"


def test_references_and_ordinary_words_are_not_taken_for_keys(
    secrets: Secrets, changes: Changes
) -> None:
    changes.create("a", VALUE)
    Path(secrets.home.root, "openclaw.json").write_text(
        '{"model": "claude-sonnet-4.2-20260101", "ref": "openclaw://anthropic-api-key",'
        ' "url": "http://127.0.0.1:18789/some/long/path0", "id": "0123456789abcdef0123"}'
    )
    assert health.of_plaintext(secrets.home) == []


def test_a_huge_or_odd_file_beside_the_store_is_passed_over(
    secrets: Secrets, changes: Changes
) -> None:
    changes.create("a", VALUE)
    os.mkfifo(f"{secrets.home.root}/.env")
    with open(f"{secrets.home.root}/openclaw.json", "wb") as file:
        file.truncate(health.PLAINTEXT_BYTES + 1)
    assert health.of_plaintext(secrets.home) == []


def test_who_read_what_last_comes_from_the_trail(secrets: Secrets, changes: Changes) -> None:
    changes.create("a", VALUE)
    changes.create("b", VALUE)
    secrets.read(parse("a"))
    secrets.actor["agent"] = "finance"
    secrets.read(parse("a"))
    reads = health.last_reads(secrets.home.audit)
    assert list(reads) == ["a"]
    assert reads["a"].who == "agent finance"
    assert abs(health.when(reads["a"].at) - time.time()) < 60


def test_the_trail_is_read_backwards_over_its_files_and_only_so_far(tmp_path: Path) -> None:
    def line(name: str, at: str) -> str:
        return (
            f'{{"seq":1,"at":"2026-01-01T00:00:0{at}.000000Z","kind":"secret_reveal",'
            f'"name":"{name}","outcome":"ok","actor":{{"agent":"a{at}"}}}}\n'
        )

    (tmp_path / "trail-000001.jsonl").write_text(line("older", "1") + line("both", "2"))
    (tmp_path / "trail.jsonl").write_text(line("both", "3") + "not a record\n")
    reads = health.last_reads(str(tmp_path))
    assert set(reads) == {"older", "both"}
    assert reads["both"].who == "agent a3"
    (tmp_path / "trail.jsonl").write_text(line("x", "4") + "#" * health.RECENT_BYTES + "\n")
    assert health.last_reads(str(tmp_path)) == {}
    assert health.last_reads(str(tmp_path / "none")) == {}


def test_a_backup_is_remembered_by_the_trail(tmp_path: Path) -> None:
    assert health.last_backup(str(tmp_path)) == ""
    (tmp_path / "trail.jsonl").write_text(
        '{"seq":1,"at":"2026-01-01T00:00:00.000000Z","kind":"store_backup","outcome":"ok"}\n'
        '{"seq":2,"at":"2026-01-02T00:00:00.000000Z","kind":"store_backup","outcome":"io"}\n'
    )
    assert health.when(health.last_backup(str(tmp_path))) == 1767225600


def test_the_worst_comes_first_and_advice_alone_needs_no_hand(
    secrets: Secrets, changes: Changes
) -> None:
    changes.create("a", VALUE)
    os.chmod(f"{secrets.home.secrets}/key", 0o644)
    found = found_in(secrets)
    assert found[0].severity == health.BAD
    assert health.needs_a_hand(found)
    assert not health.needs_a_hand([each for each in found if each.severity == health.ADVICE])
