"""`flask audit`: verify the audit trail, and check the invariants of the data."""

import json

import click
from flask.cli import AppGroup, with_appcontext

from enrollment.ground import audit
from enrollment.maintenance import invariants
from portal.text.words import word
from portal.web.unit_of_work import db

cli = AppGroup("audit", help="The audit trail.")


@cli.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def verify(as_json: bool) -> None:
    """Verify the hash chain from its first row; exit status 1 if it is broken."""
    broken = audit.broken_links(db())
    if as_json:
        click.echo(json.dumps({"broken": broken}))
    else:
        click.echo("the chain is whole" if not broken else f"the chain is broken at {', '.join(map(str, broken[:20]))}")
    raise SystemExit(1 if broken else 0)


@cli.command("impossible")
@with_appcontext
def impossible() -> None:
    """List violated invariants; exit status 1 if there is one."""
    found = list(invariants.find_violations(db()))
    for each in found:
        click.echo(f"{word('impossible', each.code, in_language='en')}: {each.subject}")
    click.echo(f"{len(found)} found")
    raise SystemExit(1 if found else 0)
