"""`flask retention run`: delete data whose retention period is over."""

import json
from collections import Counter

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.orm import Session

from enrollment.ground.errors import Refused
from enrollment.ground.retention import Moment
from enrollment.maintenance import retention
from portal.operations.printing import as_json_option
from portal.web.clock import now, real_now
from portal.web.unit_of_work import services

cli = AppGroup("retention", help="Retention periods of data.")


@cli.command("run")
@click.option("--dry-run", is_flag=True, help="Count the rows that would be deleted, and delete nothing.")
@click.option(
    "--clock-is-right", is_flag=True, help="Delete although the audit trail misses the days before yesterday."
)
@as_json_option
@with_appcontext
def run(dry_run: bool, clock_is_right: bool, as_json: bool) -> None:
    """Apply every retention rule in batches.  The scheduler does the same nightly; running twice does no harm."""
    if not (dry_run or clock_is_right or services().config.demo):
        _refuse_doubtful_clock()
    counts = _dry_run() if dry_run else _apply()
    if as_json:
        click.echo(json.dumps({code: dict(gone) for code, gone in counts.items()}))
        return
    for rule in retention.RULES:
        gone = counts[rule.code]
        what = ", ".join(f"{table} {count}" for table, count in sorted(gone.items())) or "nothing"
        click.echo(f"{rule.words[0]}: {what}")
    total = sum(sum(gone.values()) for gone in counts.values())
    click.echo(f"{total} rows would go; nothing was changed" if dry_run else f"{total} rows are gone")


def _refuse_doubtful_clock() -> None:
    with Session(services().engine) as session:
        moment = _moment(session).now
        try:
            retention.refuse_doubtful_clock(session, moment)
        except Refused as refused:
            raise click.ClickException(
                f"the clock says {moment:%Y-%m-%d %H:%M} UTC, and nothing happened in the week before yesterday: has it jumped? If the portal "
                "was switched off, try again tomorrow or say --clock-is-right"
            ) from refused


def _moment(session: Session) -> Moment:
    return Moment(now(session, demo=services().config.demo), real_now())


def _dry_run() -> dict[str, Counter[str]]:
    with Session(services().engine) as session:
        counts = retention.apply_all(session, _moment(session))
        session.rollback()
    return counts


def _apply() -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for rule in retention.RULES:
        counts[rule.code] = Counter()
        for batch in retention.batches(rule):
            gone: Counter[str] | None = None
            while gone is None or gone:
                with Session(services().engine) as session, session.begin():
                    gone = batch(session, _moment(session), retention.BATCH)
                counts[rule.code] += gone
    return counts
