"""`flask migrate`: upgrade the database schema to this version of the portal."""

import click
from flask.cli import with_appcontext

from portal.operations import doctor
from portal.operations.migrations import migrate
from portal.web.unit_of_work import services


@click.command("migrate")
@with_appcontext
def cli() -> None:
    """Upgrade the database schema to this version of the portal, as the owner of OWNER_DATABASE_URL."""
    config = services().config
    try:
        migrate(config.database_url, config.owner_database_url, demo=config.demo)
    except doctor.Unwell as unwell:
        raise click.ClickException(str(unwell)) from unwell
    click.echo("the tables are up to date")
