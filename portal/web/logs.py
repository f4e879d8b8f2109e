"""The log: JSON lines.  An exception is logged with its type and stack frames.

Its text and the values of variables are never logged, because they may contain personal data.
"""

import contextlib
import traceback
from typing import Any

import structlog
from flask import Flask


def fault_trace(fault: BaseException | None) -> list[str]:
    """The type of an exception and its stack frames, the innermost first; then the same for its cause."""
    lines: list[str] = []
    while fault is not None and len(lines) < 200:
        state = getattr(getattr(fault, "orig", None), "sqlstate", None)
        lines.append(type(fault).__name__ + (f" {state}" if state else ""))
        frames = reversed(traceback.extract_tb(fault.__traceback__))
        lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        fault = fault.__cause__ or fault.__context__
    return lines


class Lines(structlog.PrintLogger):
    """Prints lines; a full disk of the log costs the line, and not the page that wanted to write it."""

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg


def _lines(*_args: Any) -> Lines:
    return Lines()


def init(_app: Flask) -> None:
    structlog.configure(
        logger_factory=_lines,
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
