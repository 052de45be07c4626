"""`qdrant://NAME` or `qdrant://HOST:PORT/NAME`: each record a point with the record as payload.

Without a host the collection is a local one, in the folder `qdrant` of the state directory. With
one it is asked by https, this machine by http; its API key is in the file that a variable names. A
point's number comes from the store and the record's own, so that one that is sent again takes its
own place. Its vector says when in the day it was and how it ended, for "events like this one".
"""

from __future__ import annotations

import logging
import math
import os
import uuid
import warnings
from collections.abc import Sequence
from typing import Any

from openclaw_cli.audit.event import UNREADABLE
from openclaw_cli.audit.sinks.address import QDRANT_KEY_FILE, of_qdrant
from openclaw_cli.audit.sinks.sink import fields
from openclaw_cli.errors import ConfigError, TemporaryError
from openclaw_cli.files import private_directory, read_private
from openclaw_cli.sanitize import safe

FOLDER = "qdrant"
_LARGEST_KEY = 4096
_BATCH = 256
_DAY = 24 * 3600
_SECONDS = 10


class QdrantSink:
    """Keeps records in a collection, which is made when it is not there."""

    def __init__(self, address: str, rest: str, root: str) -> None:
        del rest
        from qdrant_client import QdrantClient, models

        self._models = models
        url, host, self.collection = of_qdrant(address)
        self._shown = f"qdrant at {host}" if url else "the local qdrant collection"
        key = _key() if url else None
        logging.getLogger("qdrant_client").setLevel(logging.ERROR)
        try:
            if url:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of a key without TLS, to this machine
                    self._client = QdrantClient(
                        url=url, api_key=key, timeout=_SECONDS, check_compatibility=False
                    )
            else:
                folder = os.path.join(root, FOLDER)
                private_directory(folder).close()
                self._client = QdrantClient(path=folder)
            if not self._client.collection_exists(self.collection):
                size = models.VectorParams(size=4, distance=models.Distance.DOT)
                self._client.create_collection(self.collection, vectors_config=size)
        except Exception as refused:  # noqa: BLE001  a client of many libraries raises theirs
            raise self._failed(refused) from None

    def send(self, records: Sequence[bytes]) -> None:
        """Keep each record, some at a time."""
        for start in range(0, len(records), _BATCH):
            points = [self._point(fields(each)) for each in records[start : start + _BATCH]]
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of how many points a local one should have
                    self._client.upsert(self.collection, points, wait=True)
            except Exception as refused:  # noqa: BLE001
                raise self._failed(refused) from None

    def close(self) -> None:
        """Close the collection, so that another process may open it."""
        self._client.close()

    def _point(self, record: dict[str, Any]) -> Any:  # noqa: ANN401  a type of the library
        is_record = record["kind"] != UNREADABLE
        where = f"{record.get('mac', '')}:{record['seq']}" if is_record else record["line"]
        return self._models.PointStruct(
            id=str(uuid.uuid5(uuid.NAMESPACE_OID, where)), vector=vector(record), payload=record
        )

    def _failed(self, refused: Exception) -> TemporaryError:
        away = f"is it running, with TLS unless it is on this machine? Is {QDRANT_KEY_FILE} right?"
        return TemporaryError(
            f"{self._shown} does not take records ({type(refused).__name__})",
            hint="another process may have it open" if "local" in self._shown else away,
        )


def _key() -> str | None:
    path = os.environ.get(QDRANT_KEY_FILE)
    if not path:
        return None
    try:
        return read_private(os.path.abspath(path), _LARGEST_KEY).decode("ascii").strip()
    except FileNotFoundError:
        raise ConfigError(f"{safe(path)} is not there", hint=f"unset {QDRANT_KEY_FILE}") from None
    except UnicodeDecodeError:
        raise ConfigError(
            f"{safe(path)} holds no API key", hint=f"unset {QDRANT_KEY_FILE}"
        ) from None


def vector(record: dict[str, Any]) -> list[float]:
    """Return the time of day as a point on a circle, whether it failed, whether by an agent."""
    text = str(record.get("at", ""))[11:19]
    hour, minute, second = (int(each) for each in text.split(":")) if text else (0, 0, 0)
    angle = 2 * math.pi * (hour * 3600 + minute * 60 + second) / _DAY
    failed = record.get("outcome") not in (None, "ok", "committed")
    agent = bool(record.get("actor", {}).get("agent"))
    return [math.cos(angle), math.sin(angle), float(failed), float(agent)]
