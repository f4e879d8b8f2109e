"""Each index of the table of applications answers a question that its model names: one that nobody asks costs every write."""

import re

from sqlalchemy import inspect

from enrollment.applications.application_rows import Application


def labels(index: str, columns: list[str]) -> set[str]:
    """How an index may be named: by the end of its name, or by its only column."""
    return {index.rpartition("__")[2], *(columns if len(columns) == 1 else [])}


def test_the_indexes_of_applications_are_those_whose_questions_are_named(engine):
    with engine.connect() as connection:
        found = inspect(connection)
        table = Application.__tablename__
        indexes = [labels(each["name"], each["column_names"]) for each in found.get_indexes(table)]
        indexes.append(set(found.get_pk_constraint(table)["constrained_columns"]))
    paragraph = Application.__doc__.partition("Each index answers a question.")[2]
    named = set(re.findall(r"`(\w+)`", paragraph))
    assert [each for each in indexes if not each & named] == [], "say which question it answers"
    assert named - set().union(*indexes) == set(), "no index answers it any more"
    assert len(named) == len(indexes), "one name for each"
