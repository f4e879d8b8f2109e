"""A child is three full years old on 31 August, that day included."""

import datetime as dt

import pytest

from enrollment.season.ages import born_between, level_for


@pytest.mark.parametrize(
    ("born", "level"),
    [
        ("2019-08-31", None),
        ("2020-08-31", None),
        ("2020-09-01", "upper"),
        ("2021-08-31", "upper"),
        ("2021-09-01", "middle"),
        ("2022-08-31", "middle"),
        ("2022-09-01", "lower"),
        ("2023-08-31", "lower"),
        ("2023-09-01", "nursery"),
        ("2024-02-29", "nursery"),
        ("2024-08-31", "nursery"),
        ("2024-09-01", None),
    ],
)
def test_the_class_level_of_a_birth_date_in_2026(born, level):
    assert level_for(dt.date.fromisoformat(born), 2026) == level


def test_the_lower_class_of_2026_is_what_the_notices_say():
    assert born_between("lower", 2026) == (dt.date(2022, 9, 1), dt.date(2023, 8, 31))


def test_every_day_between_the_oldest_and_the_youngest_belongs_to_exactly_one_level():
    day, youngest = born_between("upper", 2026)[0], born_between("nursery", 2026)[1]
    while day <= youngest:
        fitting = [
            level
            for level in ("nursery", "lower", "middle", "upper")
            if born_between(level, 2026)[0] <= day <= born_between(level, 2026)[1]
        ]
        assert fitting == [level_for(day, 2026)]
        day += dt.timedelta(days=1)
