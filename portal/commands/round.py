"""`flask round`: the rounds of a year, what hinders one from opening, and closing one whose deadline has passed.

Opening, extending, drawing and publishing need the signatures of people, so no command does any of them.
"""

from typing import Any

import click
from flask.cli import AppGroup, with_appcontext

from enrollment.draw import round_opening
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.season import deadline_extensions, rounds
from enrollment.season.round_rows import Round, RoundStage
from portal.operations.printing import answer, as_json_option
from portal.text import languages
from portal.text.formats import moment, refusal
from portal.text.words import word
from portal.web.unit_of_work import clock, db

cli = AppGroup("round", help="Rounds of an admission year.")


@cli.command("list")
@click.argument("year", type=int)
@as_json_option
@with_appcontext
def list_rounds(year: int, as_json: bool) -> None:
    """The rounds of a YEAR with their stages and deadlines."""
    with languages.speaking("en"):
        found = [_round(each) for each in rounds.rounds_of_year(db(), year)]
        answer(found, [_line(each) for each in found] or [f"no rounds in {year}"], as_json=as_json)


@cli.command("show")
@click.argument("year", type=int)
@click.argument("number", type=int)
@as_json_option
@with_appcontext
def show(year: int, number: int, as_json: bool) -> None:
    """One round: what hinders it from opening, an extension that waits for the second signature, days off it ends on."""
    found = _found(year, number)
    with languages.speaking("en"):
        proposed = deadline_extensions.proposal_of(db(), found)
        told = _round(found) | {
            "programmes": len(rounds.programmes_of(db(), found.id)),
            "hindrances": [{"code": each.code, "text": refusal(each)} for each in _hindrances(found)],
            "warnings": [{"code": each.code, "step": each.step} for each in rounds.warnings_of(db(), found)],
            "extension": proposed and {"closes_at": proposed.closes_at, "reason": proposed.reason, "by": proposed.name},
        }
        lines = [_line(told), f"  {told['programmes']} programmes"]
        lines += [f"  ! {each['text']}" for each in told["hindrances"]]
        lines += [f"  ! {each['code']} ({word('season_step', each['step'])})" for each in told["warnings"]]
        if proposed:
            lines.append(f"  {proposed.name} proposes {moment(proposed.closes_at, year=True)}; a second person signs")
        answer(told, lines, as_json=as_json)


@cli.command("close")
@click.argument("year", type=int)
@click.argument("number", type=int)
@as_json_option
@with_appcontext
def close(year: int, number: int, as_json: bool) -> None:
    """Close registration after the deadline, as the worker does; exit status 1 before it.  Twice does no harm."""
    found = _found(year, number)
    with languages.speaking("en"):
        try:
            if found.stage == RoundStage.OPEN:
                rounds.close(db(), found.id, by=SYSTEM, now=clock())
            elif found.stage == RoundStage.PLANNED:
                raise click.ClickException(f"round {number} of {year} is not open yet")
        except Refused as refused:
            raise click.ClickException(refusal(refused)) from refused
        db().commit()
        told = _round(found)
        answer(told, [_line(told)], as_json=as_json)


def _found(year: int, number: int) -> Round:
    found = next((each for each in rounds.rounds_of_year(db(), year) if each.number == number), None)
    if found is None:
        raise click.ClickException(f"there is no round {number} in {year}")
    return found


def _hindrances(found: Round) -> list[Refused]:
    if found.stage != RoundStage.PLANNED:
        return []
    offered = [each for each in round_opening.offered(db(), found.year) if rounds.matches_filter(found, each)]
    return rounds.opening_faults(db(), found, offered)


def _round(found: Round) -> dict[str, Any]:
    names = (
        "year",
        "number",
        "name",
        "kind",
        "stage",
        "opens_at",
        "closes_at",
        "confirm_by",
        "results_at",
        "max_wishes",
    )
    return {"id": found.id} | {name: getattr(found, name) for name in names}


def _line(told: dict[str, Any]) -> str:
    opens, closes = (moment(told[name], year=True) for name in ("opens_at", "closes_at"))
    return f"{told['number']}  {told['name']}  {word('round_stage', told['stage'])}  {opens} to {closes}"
