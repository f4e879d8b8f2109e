"""`flask doctor`: what the portal needs, part by part, and how to mend what is not well."""

import click
from flask.cli import with_appcontext

from portal.operations import doctor, overdue_work
from portal.web.unit_of_work import clock, db, services


@click.command("doctor")
@with_appcontext
def cli() -> None:
    """Look at database, queue, worker, clock, letters, whether what is over was deleted, and for a key that is left over."""
    config = services().config
    findings = doctor.examine(config.database_url, config.redis_url)
    if findings[0].well:
        findings.append(doctor.finding("retention", lambda: overdue_work.retention(db(), clock())))
        findings.append(doctor.finding("keys", lambda: overdue_work.old_keys(db(), config.keys)))
    for finding in findings:
        click.echo(f"{finding.part:10} {finding.fault or 'well'}")
    if not doctor.is_well(findings):
        raise SystemExit(1)
