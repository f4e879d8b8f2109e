"""The migrations can be taken back and made again with a city in the tables."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from enrollment.ground.db import open_engine
from enrollment.tables import METADATA
from portal.demo.city_builder import CityBuilder
from portal.operations.migrations import upgrade
from tests.guards import lint_migrations
from tests.support.servers import downgrade


def names_of_ours(connection, catalogue, kind):
    """What stands in the schema beside Alembic's own table."""
    rows = connection.execute(
        text(
            f"SELECT {kind}name FROM {catalogue} WHERE {kind}namespace = CAST('public' AS regnamespace)"
            f" AND {kind}name NOT LIKE '%alembic_version%'"
        )
    )
    return set(rows.scalars())


@pytest.mark.long
@pytest.mark.slow
def test_the_way_back_and_forth_with_a_city_in_the_tables(real_database):
    engine = open_engine(real_database)
    CityBuilder(engine, 100, 7, lambda step, done, of: None).build("arrival")
    with engine.connect() as connection:
        filled = {
            name
            for name in METADATA.tables
            if connection.execute(text(f'SELECT EXISTS (SELECT 1 FROM "{name}")')).scalar_one()
        }
    assert len(filled) > 40, sorted(set(METADATA.tables) - filled)
    downgrade(engine, lint_migrations.LAST_OF_SQUASH)
    upgrade(engine)  # what was added since meets rows
    downgrade(engine, "base")
    with engine.connect() as connection:
        for catalogue, kind in (("pg_class", "rel"), ("pg_proc", "pro"), ("pg_type", "typ")):
            assert names_of_ours(connection, catalogue, kind) == set()
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert connection.execute(text("SELECT count(*) FROM area")).scalar_one() == 23
    engine.dispose()
