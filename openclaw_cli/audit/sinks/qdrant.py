"""`qdrant://NAME` or `qdrant://HOST:PORT/NAME`: each record a point with the record as payload.

Without a host the collection is a local one, in the folder `qdrant` of the state directory. A
point's number comes from the store and the record's own, so that one that is sent again takes its
own place. Its vector says when in the day it was and how it ended, for "events like this one".
"""

from __future__ import annotations

import json
import logging
import math
import os
import uuid
import warnings
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from openclaw_cli.audit.sinks.sink import shown
from openclaw_cli.errors import ConfigError, TemporaryError
from openclaw_cli.files import private_directory

FOLDER = "qdrant"
_BATCH = 256
_DAY = 24 * 3600
_SECONDS = 10


class QdrantSink:
    """Keeps records in a collection, which is made when it is not there."""

    def __init__(self, address: str, rest: str, root: str) -> None:
        del rest
        from qdrant_client import QdrantClient, models

        self._models = models
        parts = urlsplit(address)
        name = parts.path.strip("/")
        self._shown = f"qdrant at {parts.hostname}" if name else "the local qdrant collection"
        self.collection = name or parts.hostname or ""
        if not self.collection or "/" in self.collection:
            raise ConfigError(f"{shown(address)} names no collection", hint="qdrant://audit-logs")
        logging.getLogger("qdrant_client").setLevel(logging.ERROR)
        try:
            if name:
                url = f"http://{parts.hostname}:{parts.port or 6333}"
                self._client = QdrantClient(url=url, timeout=_SECONDS, check_compatibility=False)
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
            points = [self._point(json.loads(each)) for each in records[start : start + _BATCH]]
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
        where = f"{record.get('mac', '')}:{record['seq']}"
        return self._models.PointStruct(
            id=str(uuid.uuid5(uuid.NAMESPACE_OID, where)), vector=vector(record), payload=record
        )

    def _failed(self, refused: Exception) -> TemporaryError:
        return TemporaryError(
            f"{self._shown} does not take records ({type(refused).__name__})",
            hint="another process may have it open" if "local" in self._shown else "is it running?",
        )


def vector(record: dict[str, Any]) -> list[float]:
    """Return the time of day as a point on a circle, whether it failed, whether by an agent."""
    text = str(record.get("at", ""))[11:19]
    hour, minute, second = (int(each) for each in text.split(":")) if text else (0, 0, 0)
    angle = 2 * math.pi * (hour * 3600 + minute * 60 + second) / _DAY
    failed = record.get("outcome") not in (None, "ok", "committed")
    agent = bool(record.get("actor", {}).get("agent"))
    return [math.cos(angle), math.sin(angle), float(failed), float(agent)]
