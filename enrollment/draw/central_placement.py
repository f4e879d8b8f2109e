"""Central placement 统筹安排: children without a place after the rounds get proposals for the nearest vacancies.

It is a run of a round of the kind `central`, and takes the same way as any run: computed by a job, checked by code that
shares nothing with it, read in full, signed by two people, and opened at an announced hour.  The snapshot holds who takes
part and which places are vacant; of the distances it holds a digest alone, because they would tell where a family lives.
"""

import csv
import datetime as dt
import hashlib
import io
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Row, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

import allocation
from allocation import central, lottery
from allocation.checks.central import check_central
from allocation.market import NATURES
from enrollment.applications.applications import Application, Wish
from enrollment.applications.lifecycle import HANDED_IN
from enrollment.draw import central_market, draw_jobs, market_files, runs
from enrollment.draw.central_market import Child
from enrollment.draw.comparison import dry_runs
from enrollment.draw.draws import Snapshot
from enrollment.draw.run_rows import Placement, Run, RunState
from enrollment.draw.unserved import choices
from enrollment.draw.unserved.choices import Standing
from enrollment.eligibility.households import Household
from enrollment.eligibility.tiers import rules_in_round
from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM, Actor
from enrollment.ground.errors import Refused
from enrollment.offers.offer_rows import CentralProposal, Offer, OfferState
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season.calendar import require_city_official
from enrollment.season.round_rows import RoundKind, RoundPolicy, RoundStage
from enrollment.season.rounds import KINDS_WITH_WISHES, Round

STEPS = ("reading", "placing", "checking", "dry_runs", "saving")
FORMAT = "central/1"
A_MOMENT = dt.timedelta(minutes=1)
NAME = "统筹安排"


@dataclass(frozen=True)
class Task:
    """Everything that a central run computes with, as values.  Children and programmes have the order of their arrays.

    `chosen` are the places that officials chose; their children and places are not in the arrays.
    """

    run_id: uuid.UUID
    children: tuple[str, ...]
    areas: tuple[str, ...]
    programmes: tuple[str, ...]
    ticket: np.ndarray
    unit: np.ndarray
    tolerance: np.ndarray
    vacancies: np.ndarray
    nature: np.ndarray
    ways: central.Ways
    chosen: tuple["Chosen", ...]


@dataclass(frozen=True)
class Chosen:
    """A place that an official chose for a child."""

    child: str
    programme: str
    metres: int | None
    nature: str
    area: str


@dataclass(frozen=True)
class Output:
    """`rows` are (child code, programme code, metres); `failures` what the independent check found."""

    rows: tuple[tuple[str, str, int | None], ...]
    digest: str
    summary: dict[str, Any]
    failures: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """A proposal as officials read it, without the name of the child."""

    registration_code: str
    area: str
    kindergarten: Kindergarten
    metres: int | None


@dataclass(frozen=True)
class ProposalPage:
    """One page of the proposals, counted from 1."""

    rows: tuple[Proposal, ...]
    total: int
    number: int
    last: int


def start(session: Session, year: int, *, by: Actor, now: dt.datetime) -> Run:
    """Freeze who takes part and what is vacant, and start a run.  A draft that nobody published is replaced.

    Refuses `only_the_city`, `round_still_going`, `answers_still_due` (with `n`), `nobody_to_propose`, `draw_at_work` and
    what `runs.add` refuses.
    """
    require_city_official(by)
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


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue().encode()


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
    head = {"format": FORMAT, "season": str(year), "round": RoundKind.CENTRAL, "ways": _digest_of(ways)}
    files = {
        "market.json": json.dumps(head, sort_keys=True, separators=(",", ":")).encode(),
        "children.csv": _table(
            ("child", "ticket", "unit", "tolerance", "area"),
            [
                (row.code, row.number, numbers[row.unit] if row.unit else -1, metres, row.home or "")
                for row, metres in zip(children, tolerances, strict=True)
            ],
        ),
        "vacancies.csv": _table(
            ("programme", "nature", "places"), [(row.code, row.nature, _free(row, held)) for row in places]
        ),
    }
    if chosen:
        files["chosen.csv"] = _table(("child", "programme"), sorted((each.child, each.place) for each in chosen))
    return files


def _digest_of(ways: central.Ways) -> str:
    return hashlib.sha256(
        b"".join(each.astype("<i4").tobytes() for each in (ways.child, ways.programme, ways.metres))
    ).hexdigest()


def is_central(session: Session, run_id: uuid.UUID) -> bool:
    run = runs.one(session, run_id)
    return session.get_one(Round, run.round_id).kind == RoundKind.CENTRAL


def read(session: Session, run_id: uuid.UUID) -> Task:
    """What was frozen, with the distances as they are now, and the run marked as running.

    Refuses `run_is_over`, and `homes_changed` where the distances are no longer those that were frozen.
    """
    run = runs.one(session, run_id, lock=True)
    if run.state not in (RunState.WAITING, RunState.RUNNING):
        raise Refused("run_is_over", state=run.state)
    run.state = RunState.RUNNING
    round_ = session.get_one(Round, run.round_id)
    files = market_files.unpack(session.get_one(Snapshot, run.snapshot_id).market)
    children = list(csv.DictReader(io.StringIO(files["children.csv"].decode())))
    vacancies = list(csv.DictReader(io.StringIO(files["vacancies.csv"].decode())))
    known = {row.code: row for row in central_market.children_of(session, round_.year)}
    sites = {row.code: row for row in central_market.vacancies_of(session, round_.year)}
    codes = [row["child"] for row in children]
    stands = {(each.child, each.place): each for each in choices.standing(session, round_.year)}
    listed = csv.DictReader(io.StringIO(files.get("chosen.csv", b"").decode()))
    chosen = [stands.get((row["child"], row["programme"])) for row in listed]
    if not (known.keys() >= set(codes) and sites.keys() >= {row["programme"] for row in vacancies} and all(chosen)):
        raise Refused("homes_changed")
    ways = central_market.ways_between([known[code] for code in codes], [sites[row["programme"]] for row in vacancies])
    if _digest_of(ways) != json.loads(files["market.json"])["ways"]:
        raise Refused("homes_changed")
    session.flush()
    return Task(
        run_id=run_id,
        children=tuple(codes),
        areas=tuple(row["area"] for row in children),
        programmes=tuple(row["programme"] for row in vacancies),
        ticket=np.array([int(row["ticket"]) for row in children]),
        unit=np.array([int(row["unit"]) for row in children]),
        tolerance=np.array([int(row["tolerance"]) for row in children], dtype=np.int64),
        vacancies=np.array([int(row["places"]) for row in vacancies]),
        nature=np.array([NATURES.index(row["nature"]) for row in vacancies]),
        ways=ways,
        chosen=tuple(
            Chosen(each.child, each.place, each.metres, each.nature, each.area) for each in chosen if each is not None
        ),
    )


def set_stale_aside(session: Session, run_id: uuid.UUID, refused: Refused, *, now: dt.datetime) -> Run:
    """Set a run aside whose children or vacancies changed before it was computed; it keeps the code of the reason."""
    run = runs.one(session, run_id, lock=True)
    if run.state in (RunState.WAITING, RunState.RUNNING):
        run.state, run.error = RunState.SET_ASIDE, refused.code
        audit.record(session, "set_aside", "run", run_id, by=SYSTEM, now=now, reason=refused.code)
        session.flush()
    return run


def compute(task: Task, progress: draw_jobs.Progress = draw_jobs.no_progress) -> Output:
    """Find the placement and check it.  Needs no transaction; the same input gives the same bytes."""
    progress(1, len(STEPS), "placing")
    ways = task.ways
    found = central.propose(task.ticket, ways, task.vacancies, task.nature, task.tolerance, unit=task.unit)
    progress(2, len(STEPS), "checking")
    cost = ways.metres.astype(np.int64) + task.tolerance[ways.child] * task.nature.astype(np.int64)[ways.programme]
    wrong = check_central(task.ticket, ways.child, ways.programme, cost, task.vacancies, task.unit, found.programme)
    tried = dry_runs.of_central(
        ways, task.vacancies, task.nature, task.tolerance, task.unit, task.areas,
        lambda: progress(3, len(STEPS), "dry_runs"),
    )  # fmt: skip
    progress(4, len(STEPS), "saving")
    computed: list[tuple[str, str, int | None]] = [
        (task.children[at], task.programmes[found.programme[at]], int(found.metres[at]))
        for at in np.flatnonzero(found.programme >= 0).tolist()
    ]
    rows = tuple(sorted([*computed, *((each.child, each.programme, each.metres) for each in task.chosen)]))
    content = _table(("child", "programme", "metres"), rows)
    failures = tuple(f"{name}: {line}" for name, lines in wrong.items() for line in lines)
    return Output(
        rows, hashlib.sha256(content).hexdigest(), _summary(task, found, wrong) | {"dry_runs": tried}, failures
    )


def _summary(task: Task, found: central.Proposals, wrong: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    placed = np.concatenate((found.programme >= 0, np.ones(len(task.chosen), dtype=bool)))
    area = np.array([*task.areas, *(each.area for each in task.chosen)], dtype=object)
    metres = np.concatenate((found.metres, [-1 if each.metres is None else each.metres for each in task.chosen]))
    nature = np.concatenate(
        (
            task.nature[found.programme[found.programme >= 0]],
            np.array([NATURES.index(each.nature) for each in task.chosen], dtype=np.int64),
        )
    )
    return {
        "children": len(placed),
        "placed": int(placed.sum()),
        "unplaced": int((~placed).sum()),
        "chosen": len(task.chosen),
        "places": int(task.vacancies.sum()) + len(task.chosen),
        "by_rank": {},
        "by_nature": {name: int(np.count_nonzero(nature == at)) for at, name in enumerate(NATURES)},
        "by_home": {
            name: {"children": int((area == name).sum()), "placed": int((placed & (area == name)).sum())}
            for name in sorted(set(area.tolist()))
        },
        "metres": int(metres[metres >= 0].sum()),
        "farthest": int(metres.max(initial=0)),
        "checks": {name: "failed" if lines else "passed" for name, lines in wrong.items()},
    }


def save(session: Session, run_id: uuid.UUID, output: Output, *, now: dt.datetime) -> Run:
    """Save what was computed; the caller commits only while it still holds the job."""
    run = runs.one(session, run_id, lock=True)
    if run.state != RunState.RUNNING:
        raise Refused("run_is_over", state=run.state)
    run.finished_at, run.engine = now, f"allocation {allocation.VERSION}"
    if output.failures:
        run.state, run.error = RunState.FAILED, "\n".join(output.failures)[:4000]
    else:
        _save_rows(session, run, output, now)
        run.summary, run.digest, run.state = output.summary, output.digest, RunState.CHECKED
    audit.record(session, "run", "run", run_id, by=SYSTEM, now=now, state=run.state, digest=run.digest)
    session.flush()
    return run


def _save_rows(session: Session, run: Run, output: Output, now: dt.datetime) -> None:
    year = session.get_one(Round, run.round_id).year
    ids = dict(session.execute(select(Application.child_code, Application.id).where(Application.year == year)).all())
    programmes = {row.code: row.id for row in central_market.vacancies_of(session, year)}
    session.execute(delete(CentralProposal).where(CentralProposal.offer_id.is_(None)))
    for child, programme, metres in output.rows:
        where = {"application_id": ids[child], "programme_id": programmes[programme]}
        session.add(Placement(run_id=run.id, rank=None, pool=None, **where))
        session.add(CentralProposal(metres=metres, proposed_at=now, proposed_by=run.started_by, run_id=run.id, **where))


def newest_run(session: Session, year: int) -> Run | None:
    """The newest central run of the year."""
    found = select(Run).join(Round, Round.id == Run.round_id).where(Round.year == year, Round.kind == RoundKind.CENTRAL)
    return session.scalars(found.order_by(Round.number.desc(), Run.number.desc()).limit(1)).first()


def proposals(
    session: Session, run_id: uuid.UUID, *, words: str = "", area: str | None = None, page: int = 1, per_page: int = 50
) -> ProposalPage:
    """All proposals of a run, the farthest first; `words` are a registration code or part of a kindergarten's name."""
    home = func.coalesce(Household.home_area, "")
    found = (
        select(Application.registration_code, home, Programme, CentralProposal.metres)
        .select_from(Placement)
        .join(Application, Application.id == Placement.application_id)
        .join(Programme, Programme.id == Placement.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .outerjoin(Household, Household.application_id == Application.id)
        .outerjoin(
            CentralProposal,
            and_(CentralProposal.run_id == run_id, CentralProposal.application_id == Application.id),
        )
        .where(Placement.run_id == run_id)
    )
    if words.strip():
        name = Kindergarten.name.contains(words.strip(), autoescape=True)
        found = found.where(name | (Application.registration_code == words.strip().upper()))
    if area:
        found = found.where(home == area)
    total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    last = max(1, -(-total // per_page))
    page = min(max(page, 1), last)
    order = (CentralProposal.metres.desc().nulls_last(), Application.registration_code)
    rows = session.execute(found.order_by(*order).limit(per_page).offset((page - 1) * per_page))
    return ProposalPage(
        tuple(Proposal(code or "", where, programme.kindergarten, metres) for code, where, programme, metres in rows),
        total,
        page,
        last,
    )
