"""Tests that carry the id of a finding in their name: `test_tru18_…` is a test of TRU18."""

import re

import pytest

FINDING = re.compile(r"^test_([a-z]{3})(\d\d)_")


def finding_of(item: pytest.Item) -> str | None:
    """`TRU18` of a test named `test_tru18_…`, else None."""
    found = FINDING.match(getattr(item, "originalname", None) or item.name)
    return f"{found[1]}{found[2]}".upper() if found else None
