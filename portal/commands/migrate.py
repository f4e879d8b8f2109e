"""`flask migrate`: bring the tables to this version of the portal."""

import click
from flask.cli import with_appcontext

from portal.operations import doctor
from portal.operations.migrations import upgrade
from portal.web.unit_of_work import house


@click.command("migrate")
@with_appcontext
def cli() -> None:
    """Bring the tables to this version of the portal."""
    try:
        upgrade(house().engine)
    except doctor.Unwell as unwell:
        raise click.ClickException(str(unwell)) from unwell
    click.echo("the tables are up to date")
