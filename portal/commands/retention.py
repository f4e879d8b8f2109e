"""`flask retention run`: delete what the register of data names a time for, when that time is over."""

import json
from collections import Counter

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.orm import Session

from enrollment.ground.retention import Moment
from enrollment.maintenance import retention
from portal.web.clock import now, real_now
from portal.web.unit_of_work import services

cli = AppGroup("retention", help="How long data are kept.")


@cli.command("run")
@click.option("--dry-run", is_flag=True, help="Count what would go, and keep it.")
@click.option("--json", "as_json", is_flag=True, help="For a script.")
@with_appcontext
def run(dry_run: bool, as_json: bool) -> None:
    """Apply every rule of the register, in batches.  The clock does the same every night; twice does no harm."""
    told = _counted() if dry_run else _done()
    if as_json:
        click.echo(json.dumps({code: dict(gone) for code, gone in told.items()}))
        return
    for rule in retention.RULES:
        gone = told[rule.code]
        what = ", ".join(f"{table} {count}" for table, count in sorted(gone.items())) or "nothing"
        click.echo(f"{rule.words[0]}: {what}")
    total = sum(sum(gone.values()) for gone in told.values())
    click.echo(f"{total} rows would go; nothing was changed" if dry_run else f"{total} rows are gone")


def _moment(session: Session) -> Moment:
    return Moment(now(session, demo=services().config.demo), real_now())


def _counted() -> dict[str, Counter[str]]:
    with Session(services().engine) as session:
        told = retention.apply_all(session, _moment(session))
        session.rollback()
    return told


def _done() -> dict[str, Counter[str]]:
    told: dict[str, Counter[str]] = {}
    for rule in retention.RULES:
        told[rule.code] = Counter()
        for batch in retention.batches(rule):
            gone: Counter[str] | None = None
            while gone is None or gone:
                with Session(services().engine) as session, session.begin():
                    gone = batch(session, _moment(session), retention.BATCH)
                told[rule.code] += gone
    return told
