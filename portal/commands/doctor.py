"""`flask doctor`: what the portal needs, part by part, and how to mend what is not well."""

import click
from flask.cli import with_appcontext

from portal import doctor
from portal.work import house


@click.command("doctor")
@with_appcontext
def cli() -> None:
    """Look at database, queue, worker, clock and letters."""
    findings = doctor.examine(house().config.database_url, house().config.redis_url)
    for finding in findings:
        click.echo(f"{finding.part:10} {finding.fault or 'well'}")
    if not doctor.is_well(findings):
        raise SystemExit(1)
