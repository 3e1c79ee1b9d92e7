"""How far the publication of a file came, beside the file: what was interrupted goes on where Kafka had everything."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self


@dataclass(frozen=True, slots=True)
class Progress:
    """`published`: events, from the first on, that Kafka has acknowledged of the file with this sum."""

    path: Path
    sha256: str
    published: int = 0

    @classmethod
    def of(cls, feed: Path, file: BinaryIO) -> Self:
        """What is noted of this very file; from the start if it is another one by now."""
        digest = hashlib.sha256()
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
        file.seek(0)
        sha256 = digest.hexdigest()
        path = feed.with_name(f"{feed.name}.published")
        try:
            noted = json.loads(path.read_text())
        except (OSError, ValueError):
            noted = {}
        if not isinstance(noted, dict) or noted.get("sha256") != sha256 or not isinstance(noted.get("events"), int):
            return cls(path, sha256)
        return cls(path, sha256, max(0, noted["events"]))

    def note(self, published: int) -> None:
        """Write it down, whole or not at all."""
        beside = self.path.with_name(f"{self.path.name}.new")
        beside.write_text(json.dumps({"sha256": self.sha256, "events": published}))
        beside.replace(self.path)
