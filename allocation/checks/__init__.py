"""The independent check of an outcome. It shares no code with the solver."""

from allocation.checks.definitions import CHECKS, Report, check

__all__ = ["CHECKS", "Report", "check"]
