"""A refusal tells dates in the words of its reader; what only looks like a date is told as it was typed."""

import datetime as dt

import pytest

from enrollment.ground.errors import Refused
from portal.text.formats import refusal
from portal.text.languages import speaking


@pytest.mark.parametrize("day", [dt.date(2026, 7, 1), "2026-07-01"])
def test_a_date_and_the_text_of_one_are_told_alike(whole_app, day):
    with whole_app.app_context():
        told = {language: _told(language, day) for language in ("zh", "en")}
    assert "从2026年7月1日起" in told["zh"] and "From 1 July 2026" in told["en"]


@pytest.mark.parametrize("typed", ["2026-02-30", "2026-7-1", "2026-07-01T08:00"])
def test_what_is_no_date_is_told_as_it_is(whole_app, typed):
    with whole_app.app_context():
        assert typed in _told("zh", typed)


def _told(language: str, day: dt.date | str) -> str:
    with speaking(language):
        return refusal(Refused("too_early_to_promote", day=day))
