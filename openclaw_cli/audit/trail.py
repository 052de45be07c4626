"""The trail: records appended one after another, each durable before anything is given away.

Several processes append at once: a lock makes them take turns at the chain, and each syncs outside
it. `docs/trail-format.md` describes the files.
"""

from __future__ import annotations

import os
import time

from openclaw_cli.audit import chain
from openclaw_cli.audit.head import FILE as HEAD
from openclaw_cli.audit.head import LIMIT as HEAD_LIMIT
from openclaw_cli.audit.head import SIZE as HEAD_SIZE
from openclaw_cli.audit.head import Head, decode
from openclaw_cli.errors import (
    IntegrityError,
    OpenclawError,
    UnrecordedError,
)
from openclaw_cli.files import Directory, private_directory, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openclaw_cli.store.header import Header

FILE = "trail.jsonl"
LOCK = "lock"
SEGMENT_BYTES = 10 * 1024 * 1024

REVEAL = "secret_reveal"
INTENT = "intent"
SEAL = "trail_seal"
BEGIN = "trail_start"


class Receipt:
    """Proof that a record is in the trail: its place in the chain."""

    __slots__ = ("mac", "seq")

    def __init__(self, seq: int, mac: bytes) -> None:
        self.seq = seq
        self.mac = mac


class Trail:
    """The trail of one store. The key comes from the opened store, and only from there."""

    def __init__(self, path: str, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._path = path
        self._segment_bytes = segment_bytes
        self._folder: Directory | None = None
        self._header: Header
        self._key = b""

    @property
    def path(self) -> str:
        """The folder of the trail."""
        return self._path

    @property
    def key(self) -> bytes:
        """The key of its chain, empty until `bind` was called."""
        return self._key

    def read_head(self) -> bytes:
        """Return the head as it lies there, empty when there is none.

        To be called before the store is opened: the other order takes a commit in between for an
        old store put back.
        """
        try:
            if self._folder is None:
                self._folder = Directory(self._path)
            return self._folder.read(HEAD, HEAD_LIMIT)
        except FileNotFoundError:
            return b""

    def bind(self, header: Header, key: bytes) -> None:
        """Say whose trail this is: the opened store's header, and the key from its index."""
        self._header = header
        self._key = key

    def known(self, raw: bytes) -> Head:
        """Return the head that `read_head` gave, verified.

        An absent head is right only while the store says that nothing was recorded yet. Raises
        `IntegrityError` otherwise.
        """
        if not raw and self._header.floor_seq == 0:
            return Head()
        if not raw:
            raise self._tampered("its head is missing")
        try:
            return decode(raw, self._key, self._header.store)
        except ValueError:
            pass
        # A reader without the lock may meet a head that is just being written.
        with self._open().lock(LOCK):
            try:
                return decode(self.read_head(), self._key, self._header.store)
            except ValueError:
                raise self._tampered("its head is not authentic") from None

    def append(self, records: list[dict[str, Any]], *, durable: bool = True) -> list[Receipt]:
        """Add records, make them durable, then move the head; all of them or none.

        Each record gets `seq` and `at` in front. Where `durable` is false they are left to the
        system to write: right only for what can be told from the store again. Raises
        `UnrecordedError` when that cannot be done, `IntegrityError` when the trail was changed by
        somebody else.
        """
        try:
            with self._open().lock(LOCK):
                fd, tip = self._tip()
                if tip.offset >= self._segment_bytes:
                    fd, tip = self._rotate(fd, tip)
                try:
                    opening = _opening(tip)
                    receipts = self._write(fd, tip, opening + records)[len(opening) :]
                except BaseException:
                    os.close(fd)
                    raise
            try:
                if durable:
                    _sync(fd)
            finally:
                os.close(fd)
            if durable:
                self._advance(tip)
        except IntegrityError:
            raise
        except (OSError, OpenclawError) as refused:
            raise _unrecorded(self._path, refused) from None
        return receipts

    def commit_known(self, generation: int, tag: bytes) -> None:
        """Note a new state of the store in the head; the caller holds the store's lock."""
        try:
            with self._open().lock(LOCK):
                head = self._head()
                head.generation, head.tag = generation, tag
                self._put_head(head)
        except (OSError, OpenclawError):
            # The change is in force and must not be called failed. A head that knows an older
            # state is right, and the next change brings it up to date.
            return

    def tip(self) -> Head:
        """Return how far the trail reaches now, every record since the head verified.

        Raises `UnrecordedError` and `IntegrityError` as `append` does.
        """
        try:
            with self._open().lock(LOCK):
                fd, tip = self._tip()
                os.close(fd)
        except IntegrityError:
            raise
        except (OSError, OpenclawError) as refused:
            raise _unrecorded(self._path, refused) from None
        return tip

    def _open(self) -> Directory:
        if self._folder is None:
            self._folder = private_directory(self._path)
        return self._folder

    def _head(self) -> Head:
        raw = self.read_head()
        if not raw and self._header.floor_seq == 0:
            return Head()
        try:
            return decode(raw, self._key, self._header.store)
        except ValueError:
            reason = "is not authentic" if raw else "is missing"
            raise self._tampered(f"its head {reason}") from None

    def _tip(self) -> tuple[int, Head]:
        """Open the present segment and follow the chain from the head to its end."""
        head = self._head()
        fd, head = self._segment(head)
        try:
            self._follow(fd, head)
            self._check_floor(head)
        except BaseException:
            os.close(fd)
            raise
        return fd, head

    def _segment(self, head: Head) -> tuple[int, Head]:
        folder = self._open()
        try:
            return folder.open(FILE, os.O_RDWR | os.O_APPEND), head
        except FileNotFoundError:
            pass
        if head.seq:
            head = self._finish_rotation(head)
        fd = folder.open(FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            folder.sync()
        except BaseException:
            os.close(fd)
            raise
        return fd, head

    def _follow(self, fd: int, head: Head) -> None:
        """Move the head over the records behind it; cut off a line that a crash left unfinished."""
        size = os.fstat(fd).st_size
        if size < head.offset:
            raise self._tampered("it was cut")
        self._check_last(fd, head)
        surplus = os.pread(fd, size - head.offset, head.offset)
        start = 0
        while (end := surplus.find(b"\n", start) + 1) > 0:
            self._step(head, surplus[start:end])
            start = end
        if start < len(surplus):
            os.ftruncate(fd, head.offset)

    def _check_last(self, fd: int, head: Head) -> None:
        if not head.offset:
            return
        last = os.pread(fd, chain.SUFFIX, head.offset - chain.SUFFIX)
        if last != chain.suffix(head.mac):
            raise self._tampered("its last known record was changed")

    def _step(self, head: Head, text: bytes) -> None:
        try:
            mac = chain.verified(self._key, head.mac, text)
            record = chain.parse(text)
        except ValueError:
            raise self._tampered(f"record {head.seq + 1} was changed") from None
        if record["seq"] != head.seq + 1:
            raise self._tampered(f"record {head.seq + 1} is missing")
        head.seq += 1
        head.mac = mac
        head.offset += len(text)
        head.at = max(head.at, record["at"])
        self._note_intent(head, record)

    @staticmethod
    def _note_intent(head: Head, record: dict[str, Any]) -> None:
        if record.get("phase") == INTENT:
            head.intent = record["seq"]
        elif record.get("of") == head.intent:
            head.intent = 0

    def _check_floor(self, head: Head) -> None:
        floor = self._header
        if head.seq < floor.floor_seq:
            raise self._tampered(
                f"it ends at record {head.seq}, the store knows record {floor.floor_seq}"
            )
        if head.seq == floor.floor_seq and floor.floor_seq and head.mac != floor.floor_mac:
            raise self._tampered("it is not the one the store knows")

    def _write(self, fd: int, tip: Head, records: list[dict[str, Any]]) -> list[Receipt]:
        before = tip.offset
        lines = []
        receipts = []
        stamp = self._stamp(tip)
        for record in records:
            numbered = {"seq": tip.seq + 1, **stamp, **record}
            text, mac = chain.line(self._key, tip.mac, numbered)
            tip.seq += 1
            tip.mac = mac
            tip.offset += len(text)
            self._note_intent(tip, {**record, "seq": tip.seq})
            lines.append(text)
            receipts.append(Receipt(tip.seq, mac))
        try:
            write_all(fd, b"".join(lines))
        except BaseException:
            os.ftruncate(fd, before)
            raise
        return receipts

    @staticmethod
    def _stamp(tip: Head) -> dict[str, str]:
        """Return the time of new records; a clock that went back is written down beside it."""
        now = chain.written(time.time_ns() // 1000)
        stamp = {"at": max(now, tip.at)}
        if now < tip.at:
            stamp["clock"] = now
        tip.at = stamp["at"]
        return stamp

    def _advance(self, tip: Head) -> None:
        with self._open().lock(LOCK):
            head = self._head()
            if tip.seq <= head.seq or tip.segment < head.segment:
                return
            tip.generation, tip.tag = head.generation, head.tag
            self._put_head(tip)

    def _put_head(self, head: Head, *, durable: bool = False) -> None:
        """Overwrite the head in place, within one sector.

        A power cut may leave an older one, which is right. It must not leave none, so the first is
        synced; nor one of a segment that is closed already, so a rotation's is.
        """
        folder = self._open()
        fd = folder.open(HEAD, os.O_WRONLY | os.O_CREAT)
        try:
            first = os.fstat(fd).st_size < HEAD_SIZE
            left = memoryview(head.encode(self._key, self._header.store))
            while left:
                left = left[os.pwrite(fd, left, HEAD_SIZE - len(left)) :]
            if first or durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        if first:
            folder.sync()

    def _rotate(self, fd: int, tip: Head) -> tuple[int, Head]:
        """Close a full segment and open the next; the lock is held."""
        try:
            self._write(fd, tip, [{"kind": SEAL, "segment": tip.segment}])
            os.fsync(fd)
        finally:
            os.close(fd)
        self._put_head_keeping_store(tip)
        self._open().rename(FILE, archived(tip.segment))
        return self._segment(tip)

    def _put_head_keeping_store(self, tip: Head) -> None:
        known = self._head()
        tip.generation, tip.tag = known.generation, known.tag
        self._put_head(tip)

    def _finish_rotation(self, head: Head) -> Head:
        """Take up a rotation after the rename: the head still speaks of the archived segment.

        After a power cut it may speak of that segment's beginning.
        """
        try:
            fd = self._open().open(archived(head.segment), os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            if not head.offset:
                return head  # its file was not made yet
            raise self._tampered("it is missing") from None
        try:
            self._follow(fd, head)
        finally:
            os.close(fd)
        head.segment += 1
        head.offset = 0
        self._open().sync()
        self._put_head(head, durable=True)
        return head

    def _tampered(self, what: str) -> IntegrityError:
        return IntegrityError(
            f"the trail in {self._path} was changed: {what}",
            hint="openclaw secrets audit verify",
        )


def _opening(tip: Head) -> list[dict[str, Any]]:
    """Return the first record of a segment after the first; a crash may have left it out."""
    if tip.offset or tip.segment == 1:
        return []
    return [{"kind": BEGIN, "segment": tip.segment}]


def archived(segment: int) -> str:
    """Return the file name of a closed segment."""
    return f"trail-{segment:06d}.jsonl"


def _sync(fd: int) -> None:
    sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync
    sync(fd)


def _unrecorded(path: str, refused: OSError | OpenclawError) -> UnrecordedError:
    if isinstance(refused, OpenclawError):
        reason = refused.message
    else:
        reason = os.strerror(refused.errno or 0).lower()
    return UnrecordedError(
        f"nothing was given or changed, because it could not be recorded in {path}: {reason}",
        hint="name a directory that can be written: export OPENCLAW_STATE_DIR=/path",
    )
