"""Logging of the server: one line or one JSON object per event, on stderr. Set up in `main` only."""

import json
import logging
import sys
from datetime import datetime, timezone
from typing import Any


class TextFormatter(logging.Formatter):
    """What does not print is escaped, and a traceback indented: no client's text reads like an entry of its own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        return _printable(
            " ".join([super().formatMessage(record), *(f"{key}={value}" for key, value in fields.items())])
        )

    def formatException(self, ei: Any) -> str:
        return "\n".join(f"  {_printable(line)}" for line in super().formatException(ei).split("\n"))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        event = {"time": time, "level": record.levelname.lower(), "message": record.getMessage()}
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event | getattr(record, "fields", {}), default=str)


def configure(level: str, form: str) -> None:
    """Replaces the handlers of the root logger."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # A request that was refused is told to its client and counted; uvicorn's own words add nothing.
    logging.getLogger("uvicorn").setLevel("WARNING")
