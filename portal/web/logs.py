"""What the log says: lines of JSON, and of a fault its kind and its way through the code.

Never a fault's text and never the values of variables: they may hold a name, a phone or a number of a person.
"""

import traceback

import structlog
from flask import Flask


def way_of(fault: BaseException | None) -> list[str]:
    """The kind of a fault and the places that it came through, the last one first; then the fault that it came from."""
    told: list[str] = []
    while fault is not None and len(told) < 200:
        state = getattr(getattr(fault, "orig", None), "sqlstate", None)
        told.append(type(fault).__name__ + (f" {state}" if state else ""))
        frames = reversed(traceback.extract_tb(fault.__traceback__))
        told += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        fault = fault.__cause__ or fault.__context__
    return told


def init(_app: Flask) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )
