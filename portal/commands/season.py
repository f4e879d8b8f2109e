"""`flask season`: the admission years and their calendars.

Announcing a year and moving its dates need the signatures of people, so no command does either.
"""

from typing import Any

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from enrollment.ground.accounts import Account
from enrollment.season import calendar, rounds, season_lifecycle, seasons
from enrollment.season.calendar import Season
from portal.operations.printing import answer, as_json_option
from portal.text import languages
from portal.text.formats import moment
from portal.text.words import word
from portal.web.unit_of_work import clock, db

cli = AppGroup("season", help="Admission years and their calendars.")


@cli.command("list")
@as_json_option
@with_appcontext
def list_seasons(as_json: bool) -> None:
    """Every admission year, the newest first."""
    with languages.speaking("en"):
        found = [_season(each) for each in seasons.all_years(db())]
        lines = [f"{each['year']}  {word('season_state', each['state'])}" for each in found]
        answer(found, lines or ["no admission year"], as_json=as_json)


@cli.command("show")
@click.argument("year", type=int)
@as_json_option
@with_appcontext
def show(year: int, as_json: bool) -> None:
    """The calendar of a YEAR, who has signed it, what it warns of, and rounds outside its steps."""
    found = seasons.of_year(db(), year)
    if found is None:
        raise click.ClickException(f"there is no admission year {year}")
    with languages.speaking("en"):
        told = _season(found) | {
            "hotline": found.hotline,
            "dates": {
                step: {"begins_at": begins_at, "ends_at": ends_at}
                for step, (begins_at, ends_at) in calendar.spans(found).items()
            },
            "signed": [{"by": name, "at": at} for name, at in _signatures(found)],
            "warnings": [
                {"code": each.code, "step": each.step} for each in season_lifecycle.warnings(db(), found, now=clock())
            ],
            "rounds_outside": [
                {"number": each.number, "step": step} for each, step in rounds.rounds_outside_calendar(db(), found)
            ],
        }
        answer(told, _lines(told), as_json=as_json)


def _season(found: Season) -> dict[str, Any]:
    return {
        "year": found.year,
        "stage": found.stage,
        "state": seasons.state(found, clock()),
        "announced_at": found.announced_at,
        "closed_at": found.closed_at,
    }


def _signatures(found: Season) -> list[tuple[str, Any]]:
    signed = season_lifecycle.signatures_of(db(), found)
    people = select(Account.id, Account.name).where(Account.id.in_([each.account_id for each in signed]))
    names: dict[Any, str] = {id_: name for id_, name in db().execute(people)}
    return [(names[each.account_id], each.signed_at) for each in signed]


def _lines(told: dict[str, Any]) -> list[str]:
    lines = [f"{told['year']}  {word('season_state', told['state'])}  {told['hotline'] or ''}".rstrip()]
    for step, span in told["dates"].items():
        begins, ends = (moment(span[name], year=True) for name in ("begins_at", "ends_at"))
        lines.append(f"  {word('season_step', step)}: {begins} to {ends}")
    lines += [f"  signed by {each['by']}, {moment(each['at'], year=True)}" for each in told["signed"]]
    lines += [f"  ! {each['code']} ({word('season_step', each['step'])})" for each in told["warnings"]]
    lines += [
        f"  ! round {each['number']} is outside {word('season_step', each['step'])}" for each in told["rounds_outside"]
    ]
    return lines
