"""`flask target`: the targets of a year and the decisions behind them.

A target is proposed and signed by two people on the officials' page, so no command sets one.
"""

import datetime as dt
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from enrollment.coverage import target_decisions
from enrollment.coverage.targets import TargetDecision, Targets, targets_on
from enrollment.ground.accounts import Account
from enrollment.ground.city_time import today
from portal.operations.printing import answer, as_json_option
from portal.text import languages
from portal.text.words import word
from portal.web.unit_of_work import clock, db

cli = AppGroup("target", help="Targets of the two shares and of high-quality kindergartens.")


@cli.command("list")
@click.argument("year", type=int)
@as_json_option
@with_appcontext
def list_targets(year: int, as_json: bool) -> None:
    """Every decision about the targets of a YEAR, open and withdrawn ones too, the newest first."""
    with languages.speaking("en"):
        made = target_decisions.history(db(), year)
        people = {each for one in made for each in (one.proposed_by, one.signed_by, one.withdrawn_by) if each}
        named = select(Account.id, Account.name).where(Account.id.in_(people))
        names: dict[Any, str] = {id_: name for id_, name in db().execute(named)}
        found = [_decision(one, names) for one in made]
        lines = [
            f"{each['scope']} {each['area'] or ''} {_numbers(each)}  {word('target_state', each['state'])}  {each['source']}"
            for each in found
        ]
        answer(found, lines or [f"no decisions for {year}"], as_json=as_json)


@cli.command("show")
@click.argument("year", type=int)
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day on which they hold; by default today.")
@as_json_option
@with_appcontext
def show(year: int, day: dt.datetime | None, as_json: bool) -> None:
    """The targets of a YEAR that hold on a day: of the city, of areas with their own, and of the state."""
    with languages.speaking("en"):
        holding = targets_on(db(), day.date() if day else today(clock()), year=year)
        found: dict[str, Any] = {
            "year": year,
            "city": _plain(holding.city),
            "areas": {code: _plain(targets) for code, targets in holding.areas.items()},
            "national": _plain(holding.national),
        }
        lines = [f"city {_numbers(found['city'])}", f"national {_numbers(found['national'])}"]
        lines += [f"{code} {_numbers(targets)}" for code, targets in found["areas"].items()]
        answer(found, lines, as_json=as_json)


def _plain(targets: Targets | TargetDecision) -> dict[str, Any]:
    """Percentages as they are printed; None where nothing is set."""
    shares = {"public": targets.public, "inclusive": targets.inclusive}
    return {name: share and share.short for name, share in shares.items()} | {"high_quality": targets.high_quality}


def _numbers(plain: dict[str, Any]) -> str:
    return f"public {plain['public'] or '-'}, inclusive {plain['inclusive'] or '-'}, high quality {plain['high_quality'] or '-'}"


def _decision(one: TargetDecision, names: dict[Any, str]) -> dict[str, Any]:
    state = "signed" if one.signed_at else "withdrawn" if one.withdrawn_at else "open"
    return _plain(one) | {
        "id": one.id,
        "scope": one.scope,
        "area": one.area_code,
        "state": state,
        "in_force_from": one.in_force_from,
        "source": one.source_name,
        "proposed_by": names[one.proposed_by],
        "signed_by": names[one.signed_by] if one.signed_by else None,
    }
