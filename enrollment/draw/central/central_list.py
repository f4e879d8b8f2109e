"""Who takes part in central placement 统筹安排, and which places are vacant: frozen before it is computed.

Children without a place after the rounds get proposals for the nearest vacancies, by a run of a round of the kind `central`.  The
snapshot holds who takes part and which places are vacant; of the distances it holds a digest alone, because they would tell where a
family lives.
"""

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from allocation import central, lottery
from enrollment.applications.applications import Application, Wish
from enrollment.applications.lifecycle import HANDED_IN
from enrollment.draw import draw_jobs, market_files, runs
from enrollment.draw.central import central_market
from enrollment.draw.central.central_market import Child
from enrollment.draw.central.frozen_files import digest_of, table
from enrollment.draw.draws import Snapshot
from enrollment.draw.run_rows import Run, RunState
from enrollment.draw.unserved import choices
from enrollment.draw.unserved.choices import Standing
from enrollment.eligibility.tiers import rules_in_round
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.offers.offer_rows import CentralProposal, Offer, OfferState
from enrollment.season.calendar import refuse_closed, require_city_official
from enrollment.season.round_rows import RoundKind, RoundPolicy, RoundStage
from enrollment.season.rounds import KINDS_WITH_WISHES, Round

FORMAT = "central/1"
A_MOMENT = dt.timedelta(minutes=1)
NAME = "统筹安排"


def start(session: Session, year: int, *, by: Actor, now: dt.datetime) -> Run:
    """Freeze who takes part and what is vacant, and start a run.  A draft that nobody published is replaced.

    Refuses `only_the_city`, `season_is_closed`, `round_still_going`, `answers_still_due` (with `n`), `nobody_to_propose`, `draw_at_work` and
    what `runs.add` refuses.
    """
    require_city_official(by)
    refuse_closed(session, year)
    _refuse_before_its_turn(session, year, now)
    chosen = choices.standing(session, year)
    held = Counter(each.programme_id for each in chosen)
    mine = {each.application_id for each in chosen}
    children = [each for each in central_market.children_of(session, year) if each.id not in mine]
    places = [each for each in central_market.vacancies_of(session, year) if _free(each, held)]
    ways = central_market.ways_between(children, places)
    if not len(ways.child) and not chosen:
        raise Refused("nobody_to_propose")
    round_ = _open_round(session, year, by, now)
    runs.refuse_while_one_runs(session, round_.id)
    files = _files(session, year, children, places, held, ways, chosen)
    session.execute(delete(CentralProposal).where(CentralProposal.offer_id.is_(None)))
    earlier = update(Snapshot).where(Snapshot.round_id == round_.id, Snapshot.replaced_at.is_(None))
    session.execute(earlier.values(replaced_at=now))
    number = session.scalar(select(func.count()).where(Snapshot.round_id == round_.id)) or 0
    frozen = Snapshot(
        id=uuid.uuid4(), round_id=round_.id, number=number + 1, commitment=lottery.commitment(files),
        market=market_files.pack(files), children=len(children) + len(chosen), wishes=len(ways.child), made_at=now, made_by=by.account_id,
    )  # fmt: skip
    session.add(frozen)
    session.flush()
    return runs.add(session, round_.id, frozen.id, by=by, now=now)


def _open_round(session: Session, year: int, by: Actor, now: dt.datetime) -> Round:
    """The central round that is not published yet, locked; a new one after the last was published."""
    found = select(Round).where(Round.year == year, Round.kind == RoundKind.CENTRAL, Round.stage == RoundStage.DRAWN)
    round_ = session.scalars(found.order_by(Round.number.desc()).limit(1)).first()
    if round_ is not None:
        draw_jobs.refuse_while_busy(session, round_.id)
        return draw_jobs.lock_round(session, round_.id)
    number = session.scalar(select(func.max(Round.number)).where(Round.year == year)) or 0
    before = _newest_round(session, year)
    round_ = Round(
        year=year, number=number + 1, kind=RoundKind.CENTRAL, name=f"{year} 年{NAME}", stage=RoundStage.DRAWN,
        opens_at=now, closes_at=now + A_MOMENT, confirm_by=now + 2 * A_MOMENT,
    )  # fmt: skip
    if before is not None:
        round_.policies = [
            RoundPolicy(area_code=each.area_code, policy_id=each.policy_id, digest=each.digest)
            for each in before.policies
        ]
    session.add(round_)
    session.flush()
    audit.record(session, "plan_round", "round", round_.id, by=by, now=now, number=number + 1, kind=RoundKind.CENTRAL)
    return draw_jobs.lock_round(session, round_.id)


def _newest_round(session: Session, year: int) -> Round | None:
    """The newest published round with wishes, of which the rules apply."""
    newest = select(Round).where(
        Round.year == year, Round.stage == RoundStage.PUBLISHED, Round.kind.in_(KINDS_WITH_WISHES)
    )
    return session.scalars(newest.order_by(Round.number.desc()).limit(1)).first()


def _tolerances(session: Session, year: int, homes: Sequence[str | None]) -> list[int]:
    """Metres for each child, from the rules that the newest published round applied in its area; 0 where there are none."""
    round_ = _newest_round(session, year)
    metres: dict[str | None, int] = {None: 0}
    for area in sorted({home for home in homes if home}):
        try:
            metres[area] = rules_in_round(session, round_, area).central_tolerance if round_ else 0
        except Refused as refused:
            if refused.code != "area_without_policy":
                raise
            metres[area] = 0
    return [metres[home] for home in homes]


def undecided_run(session: Session, year: int) -> str | None:
    """The name of a round with a checked run that two people could still sign; none where a run of its list is published."""
    published = aliased(Run)
    decided = select(published.id).where(published.snapshot_id == Run.snapshot_id, published.published_at.is_not(None))
    found = select(Round.name).join(Run, Run.round_id == Round.id).join(Snapshot, Snapshot.id == Run.snapshot_id)
    current = (Snapshot.replaced_at.is_(None), Snapshot.outdated_at.is_(None), ~decided.exists())
    found = found.where(Round.year == year, Run.state == RunState.CHECKED, *current)
    return session.scalar(found.order_by(Round.number).limit(1))


def round_under_way(session: Session, year: int, *, central: bool = False) -> str | None:
    """The name of a round whose wishes wait for a result, or of which a run is under way; with `central` of those too.

    A round that closed without a wish can never be frozen, so nobody waits for it.
    """
    wished = (
        select(Wish.rank)
        .join(Application, Application.id == Wish.application_id)
        .where(Wish.round_id == Round.id, Application.stage.in_(HANDED_IN))
    )
    in_year = select(Round.name).where(Round.year == year).order_by(Round.number)
    with_wishes = in_year.where(Round.kind.in_(KINDS_WITH_WISHES))
    going = (RoundStage.OPEN, RoundStage.CLOSED, RoundStage.FROZEN, RoundStage.DRAWN)
    under_way = (RunState.WAITING, RunState.RUNNING, RunState.SIGNED)
    waits_for = with_wishes.where(Round.stage.in_(going), or_(Round.stage != RoundStage.CLOSED, wished.exists()))
    runs_of = (in_year if central else with_wishes).join(Run, Run.round_id == Round.id)
    return session.scalar(waits_for.limit(1)) or session.scalar(runs_of.where(Run.state.in_(under_way)).limit(1))


def _refuse_before_its_turn(session: Session, year: int, now: dt.datetime) -> None:
    """The rounds before it are over: published, answered, and no replay of them is under way."""
    name = round_under_way(session, year)
    if name is not None:
        raise Refused("round_still_going", name=name)
    due = select(func.count()).select_from(Offer).join(Application, Application.id == Offer.application_id)
    due = due.where(Offer.year == year, Offer.state == OfferState.OFFERED, Application.on_hold.is_(False))
    waiting = session.scalar(due.where(Offer.answer_by > now)) or 0
    if waiting:
        raise Refused("answers_still_due", n=waiting)


def _free(place: Row, held: Counter[uuid.UUID]) -> int:
    """The vacancies that are left when the chosen places are taken."""
    return place.places - place.taken - held[place.id]


def _files(
    session: Session,
    year: int,
    children: list[Child],
    places: list[Row],
    held: Counter[uuid.UUID],
    ways: central.Ways,
    chosen: list[Standing],
) -> dict[str, bytes]:
    tolerances = _tolerances(session, year, [row.home for row in children])
    numbers = {unit: at for at, unit in enumerate(dict.fromkeys(row.unit for row in children if row.unit))}
    head = {"format": FORMAT, "season": str(year), "round": RoundKind.CENTRAL, "ways": digest_of(ways)}
    files = {
        "market.json": json.dumps(head, sort_keys=True, separators=(",", ":")).encode(),
        "children.csv": table(
            ("child", "ticket", "unit", "tolerance", "area"),
            [
                (row.code, row.number, numbers[row.unit] if row.unit else -1, metres, row.home or "")
                for row, metres in zip(children, tolerances, strict=True)
            ],
        ),
        "vacancies.csv": table(
            ("programme", "nature", "places"), [(row.code, row.nature, _free(row, held)) for row in places]
        ),
    }
    if chosen:
        files["chosen.csv"] = table(("child", "programme"), sorted((each.child, each.place) for each in chosen))
    return files
