"""`flask audit verify`: whether anybody changed, deleted or swapped a row of the audit trail."""

import json

import click
from flask.cli import AppGroup, with_appcontext

from enrollment.ground import audit
from enrollment.maintenance import invariants
from portal.text.words import word
from portal.web.unit_of_work import db

cli = AppGroup("audit", help="The audit trail.")


@cli.command("verify")
@click.option("--json", "as_json", is_flag=True, help="For a script.")
@with_appcontext
def verify(as_json: bool) -> None:
    """Follow the chain from its first row; exit status 1 when it is broken."""
    broken = audit.broken_links(db())
    if as_json:
        click.echo(json.dumps({"broken": broken}))
    else:
        click.echo("the chain is whole" if not broken else f"the chain is broken at {', '.join(map(str, broken[:20]))}")
    raise SystemExit(1 if broken else 0)


@cli.command("impossible")
@with_appcontext
def look() -> None:
    """Facts that cannot be; exit status 1 when there is one."""
    found = list(invariants.found(db()))
    for each in found:
        click.echo(f"{word('impossible', each.code, in_language='en')}: {each.subject}")
    click.echo(f"{len(found)} found")
    raise SystemExit(1 if found else 0)
