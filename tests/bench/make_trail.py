"""Make a store with a large, valid trail, spread over many days: `make_trail.py DIR EVENTS DAYS`.

The records are those of agents and people who read a hundred secrets, and now and then change one.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator

from openclaw_cli import assembly
from openclaw_cli.audit.chain import START, suffix, written
from openclaw_cli.audit.head import FILE as HEAD
from openclaw_cli.audit.head import Head
from openclaw_cli.audit.trail import BEGIN, FILE, SEAL, SEGMENT_BYTES, archived
from openclaw_cli.audit.verify import link
from openclaw_cli.files import private_directory
from openclaw_cli.home import Home
from openclaw_cli.settings import Settings

SECRETS = 100
DAY = 86_400
_ACTORS = (
    (
        '{"uid":1000,"pid":4711,"via":"terminal","tty":"/dev/pts/3","address":"10.0.0.7",'
        '"program":"/usr/bin/bash"}'
    ),
    '{"uid":1000,"pid":4712,"via":"cron","program":"/usr/bin/dash"}',
    (
        '{"uid":1001,"pid":4713,"via":"program","program":"/usr/bin/python3.11",'
        '"agent":"request-handler","thread":"finance-7"}'
    ),
)


def make(root: str, events: int, days: float, *, segment_bytes: int = SEGMENT_BYTES) -> None:
    """Make a new store in `root` whose trail has that many events and ends now."""
    secrets = assembly.secrets(Home(root), Settings({}, {}), {})
    changes = assembly.changes(secrets, Settings({}, {}))
    changes.found(changes._add_file_slot)  # noqa: SLF001
    snapshot = secrets.open()
    assert snapshot is not None
    folder = private_directory(secrets.home.audit)
    # While the store says that nothing was recorded, the trail may be replaced by another.
    folder.unlink(HEAD)
    folder.unlink(FILE)
    head = _write(folder.path, snapshot.index.audit_key, bodies(events, days), segment_bytes)
    head.generation, head.tag = snapshot.header.generation, snapshot.tag
    encoded = head.encode(snapshot.index.audit_key, snapshot.header.store)
    folder.replace(HEAD, [encoded])
    folder.close()
    snapshot.close()


def bodies(events: int, days: float) -> Iterator[tuple[str, str]]:
    """Return each event's time and its fields after the time."""
    chance = random.Random(7)
    start = time.time() - days * DAY
    for number in range(events):
        at = written(int((start + number * days * DAY / events) * 1_000_000))
        name = f"team/secret-{chance.randrange(SECRETS)}"
        actor = _ACTORS[2 if chance.random() < 0.9 else chance.randrange(2)]
        kind, outcome, purpose = "secret_reveal", "ok", ',"purpose":"run","ms":1.2'
        if chance.random() < 0.001:
            kind, purpose = "secret_set", ""
        elif chance.random() < 0.001:
            outcome = "not_found"
        yield (
            at,
            (
                f'"kind":"{kind}","name":"{name}","backend":"local","version":"3",'
                f'"outcome":"{outcome}"{purpose},"actor":{actor}'
            ),
        )


def _write(path: str, key: bytes, records: Iterator[tuple[str, str]], segment_bytes: int) -> Head:
    mac = link(key)
    head = Head()
    head.mac = START
    file = open(f"{path}/{FILE}", "xb")  # noqa: SIM115
    os.chmod(file.fileno(), 0o600)

    def add(rest: str) -> None:
        body = f'{{"seq":{head.seq + 1},"at":"{head.at}",{rest}'.encode()
        head.seq += 1
        head.mac = mac(head.mac, body)
        head.offset += file.write(body + suffix(head.mac))

    for head.at, rest in records:
        if head.offset >= segment_bytes:
            add(f'"kind":"{SEAL}","segment":{head.segment}')
            file.close()
            os.rename(f"{path}/{FILE}", f"{path}/{archived(head.segment)}")
            head.segment += 1
            head.offset = 0
            file = open(f"{path}/{FILE}", "xb")  # noqa: SIM115
            os.chmod(file.fileno(), 0o600)
            add(f'"kind":"{BEGIN}","segment":{head.segment}')
        add(rest)
    file.close()
    return head


if __name__ == "__main__":
    make(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
