"""The log: JSON lines on standard error, in the form that the host reads."""

from __future__ import annotations

import datetime
import json
import logging
import os
import traceback
from typing import TextIO

_LEVELS = {"trace": 5, "debug": logging.DEBUG, "warn": logging.WARNING, "error": logging.ERROR}
_PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        level = "error" if record.levelno >= logging.ERROR else "warn" if record.levelno >= logging.WARNING else record.levelname.lower()
        if level not in ("error", "warn", "info", "debug"):
            level = "trace" if record.levelno < logging.DEBUG else "debug"
        at = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        line = {
            "@level": level,
            "@message": record.getMessage(),
            "@module": record.name,
            "@timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        line.update({k: v for k, v in vars(record).items() if k not in _PLAIN})
        if record.exc_info and record.exc_info[0] is not None:
            line["stack"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, default=str)


def set_up(stream: TextIO, name: str) -> None:
    """Send Python's log and its warnings to stream."""
    level = os.environ.get("BERTOPIC_LOG_PLUGIN_" + name.upper().replace("-", "_"), "").lower()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS.get(level, logging.INFO))
    logging.captureWarnings(True)
