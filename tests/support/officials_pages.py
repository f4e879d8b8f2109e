"""Every page of the officials' desk with something on it: two towns, before the draw and after it, and the address of each
page by its endpoint."""

import datetime as dt
from collections.abc import Callable

from sqlalchemy import select

from enrollment.announcements import announcements
from enrollment.announcements.announcements import Texts
from enrollment.corrections import reinstatements
from enrollment.coverage import alarm_answers
from enrollment.coverage.alarm_answers import ShareKind
from enrollment.laboratory import drawing, studies
from enrollment.laboratory.variants import Method, Reserve, Variant
from enrollment.offers import family_requests, revocations
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.places.grades import code_list, held
from enrollment.places.grades.code_list import GradeNames
from enrollment.places.imports import uploads
from enrollment.places.measures.rows import MeasureKind, MeasureStage
from enrollment.places.population.rows import Estate
from enrollment.planning import plans, search, seat_searches
from enrollment.planning.question import Question
from enrollment.results import full_files
from enrollment.review import refusals, support_cases
from tests.domain.coverage.test_forecast import write_past
from tests.support import planned_town
from tests.support.crowd import crowd
from tests.support.town import Town

AREA, HERE = "510104", "/officials/2026"
QUESTION = Question(5_100, 8_200, deadline=2027, years=3)
Addresses = dict[str, str]

BEFORE = frozenset(
    (
        "home", "accounts", "new_account", "account", "announcements", "new_announcement", "announcement_page",
        "correct_announcement_page", "duplicate_list", "duplicate", "imports", "import_file", "laboratory",
        "study", "new_variant", "planning", "plan", "compare_plans", "new_plan", "measures", "new_measure",
        "measure", "measure_ramps", "more_places", "more_places_found", "coverage", "coverage_of_an_area",
        "coverage_forecast", "coverage_level", "coverage_step", "targets", "quality", "grades", "grade",
        "kindergarten_grades", "readiness", "readiness_of_an_area", "places", "place_plan", "places_of_a_day", "reserved_places",
        "policy_list", "policy_versions", "policy_page", "policy_trial_page", "new_policy", "review",
        "review_of", "refusal_list", "round_list", "new_round", "round_page", "extension", "draw_form",
        "season", "season_date", "announcement", "season_days", "new_season", "season_river",
        "season_open_rows", "support_cases", "reports", "report_page", "ask_report_export", "messages",
        "audit_trail", "chain_page",
    )
)  # fmt: skip
"""The pages of the first town by their endpoint."""

AFTER = frozenset(
    (
        "cases", "case_page", "support_case", "phone_changes", "revocations", "revoke_page", "reinstatements",
        "reinstate_page", "corrections",
        "correction", "new_correction", "draws", "run_page", "full_file_page", "draw_room", "hour_page",
        "projector", "projector_scene", "withdraw_daily_replays_page", "unplaced", "unserved_child",
        "central_proposals", "season_end",
    )
)  # fmt: skip
"""Those of the second one."""


def before_the_draw(town: Town) -> Addresses:
    """Registration is open; officials prepare: measures, a plan, a study, a file, a policy, two children who may be one."""
    city, now, session = town.city_pair()[0], town.now, town.session
    schools = planned_town.children(town, AREA)
    garden = town.kindergarten("锦官新城幼儿园", places=40, longitude=104.10, latitude=30.60)
    town.pool(garden, "policy_care", 2, ["policy_care"], name="政策照顾")
    policy = town.policy(AREA)
    town.open_registration()
    crowd(town, 60, garden)
    born = dt.date(2022, 12, 10)
    town.child("王小二", born=born, wishes=[garden])
    town.at(town.now + dt.timedelta(hours=1))
    town.child("Wang Xiaoer", born=born, id_kind="passport", number="E12345678", wishes=[garden])
    hint = session.scalars(select(DuplicateHint)).one()
    session.add(Estate(area_code=AREA, name="东湖苑", first_september=2027, dwellings=900, per_hundred=10))
    measures = [
        planned_town.measure(
            town, MeasureKind.BUILD, 30, 9000, lead_years=1, name="三圣新建", stage=MeasureStage.UNDERWAY
        ),
        planned_town.measure(
            town, MeasureKind.TO_PUBLIC, 20, 100, of=schools["inclusive"], yearly=40, name="转公办一所"
        ),
    ]
    write_past(session, 2016)
    plan, other = (_plan(town, name) for name in ("都到线", "另一个"))
    study = _study(town)
    seats = _seats(town)
    clerk = town.clerk_of(garden)
    file = uploads.store(session, "roll", "在园名册.xlsx", b"no workbook", by=city, now=now, year=2026)
    texts = Texts("新增 2 个办园点", "Two more sites", "新增 120 个学位。", "120 more places.")
    told = announcements.write(session, AREA, texts, now + dt.timedelta(hours=1), by=city, now=now)
    code_list.add(session, GradeNames("省级示范", "Provincial model", True), by=city, now=now)
    held.give(session, garden.id, "g1", now.date(), "模拟通知", by=city, now=now)
    alarm_answers.answer(session, AREA, ShareKind.PUBLIC, 2026, owner="学前科", measure="认定两所", due_on=dt.date(2026, 12, 1), by=city, now=now)  # fmt: skip
    planned = town.round(kind="supplementary")
    lab, made = f"{HERE}/laboratory/{study.id}", f"{HERE}/planning/{plan.id}"
    pools = f"{HERE}/places/{garden.id}/lower/pools"
    session.flush()
    return {
        "home": HERE,
        "accounts": f"{HERE}/accounts",
        "new_account": f"{HERE}/accounts/new",
        "account": f"{HERE}/accounts/{clerk.account_id}",
        "announcements": f"{HERE}/announcements",
        "new_announcement": f"{HERE}/announcements/new",
        "announcement_page": f"{HERE}/announcements/{told}",
        "correct_announcement_page": f"{HERE}/announcements/{told}/correct",
        "duplicate_list": f"{HERE}/duplicates",
        "duplicate": f"{HERE}/duplicates/{hint.id}",
        "imports": f"{HERE}/imports",
        "import_file": f"{HERE}/imports/{file.id}",
        "laboratory": f"{HERE}/laboratory",
        "study": lab,
        "new_variant": f"{lab}/variants/new",
        "planning": f"{HERE}/planning",
        "plan": made,
        "compare_plans": f"{made}/compare?with={other.id}",
        "new_plan": f"{HERE}/planning/new",
        "measures": f"{HERE}/planning/measures",
        "new_measure": f"{HERE}/planning/measures/new",
        "measure": f"{HERE}/planning/measures/{measures[0].id}",
        "measure_ramps": f"{HERE}/planning/measures/ramps",
        "more_places": f"{HERE}/planning/more-places",
        "more_places_found": f"{HERE}/planning/more-places/{seats.id}",
        "coverage": f"{HERE}/coverage",
        "coverage_of_an_area": f"{HERE}/coverage/{AREA}",
        "coverage_forecast": f"{HERE}/coverage/{AREA}/forecast",
        "coverage_level": f"{HERE}/coverage/levels/lower",
        "coverage_step": f"{HERE}/coverage/steps/{schools['private'].code}",
        "targets": f"{HERE}/coverage/targets/2027",
        "quality": f"{HERE}/quality",
        "grades": f"{HERE}/quality/grades",
        "grade": f"{HERE}/quality/grades/g1",
        "kindergarten_grades": f"{HERE}/quality/kindergartens/{garden.id}",
        "readiness": f"{HERE}/quality/readiness",
        "readiness_of_an_area": f"{HERE}/quality/readiness/{AREA}",
        "places": f"{HERE}/places",
        "places_of_a_day": f"{HERE}/places/{garden.id}/day",
        "place_plan": f"{HERE}/places/{garden.id}",
        "reserved_places": pools,
        "policy_list": f"{HERE}/policies",
        "policy_versions": f"{HERE}/policies/{AREA}",
        "policy_page": f"{HERE}/policies/{AREA}/{policy.version}",
        "policy_trial_page": f"{HERE}/policies/{AREA}/{policy.version}/trial",
        "new_policy": f"{HERE}/policies/{AREA}/new?from=example",
        "review": f"{HERE}/review",
        "review_of": f"{HERE}/review/{garden.id}",
        "refusal_list": f"{HERE}/refusals",
        "round_list": f"{HERE}/rounds",
        "new_round": f"{HERE}/rounds/new",
        "round_page": f"{HERE}/rounds/{planned.id}",
        "extension": f"{HERE}/rounds/{town.the_round.id}/extend",
        "draw_form": f"{HERE}/rounds/{town.the_round.id}/draw-form",
        "season": f"{HERE}/season",
        "season_date": f"{HERE}/season/result",
        "announcement": f"{HERE}/season/announcement",
        "season_days": f"{HERE}/season/days",
        "new_season": f"{HERE}/season/new",
        "season_river": f"{HERE}/season/river",
        "season_open_rows": f"{HERE}/season/readiness/review",
        "support_cases": f"{HERE}/support-cases",
        "reports": f"{HERE}/reports",
        "report_page": f"{HERE}/reports/ledger",
        "ask_report_export": f"{HERE}/reports/class_list/export?at={garden.id}",
        "messages": f"{HERE}/messages",
        "audit_trail": f"{HERE}/audit",
        "chain_page": f"{HERE}/audit/chain",
    }


def after_the_draw(town: Town) -> Addresses:
    """The result is published: who appeals, who has no place, what is corrected, revoked and handed to an auditor."""
    garden = town.kindergarten("锦官园", places=2, longitude=104.10, latitude=30.60)
    town.kindergarten("近处普惠", nature="inclusive", places=2, longitude=104.11, latitude=30.60)
    home = {"home_longitude": 104.10, "home_latitude": 30.60}
    ana, ben, cui = (town.child(name, wishes=[garden], **home) for name in ("安娜", "本本", "翠翠"))
    needs = town.child("董董", wishes=[garden], grounds=["special_need"], **home)
    first = town.city_pair()[0]
    wrong = town.child("恩恩", wishes=[garden])
    proposal = town.clerk_proposes_refusal(wrong)
    refusals.decide_refusal(town.session, proposal.id, upheld=True, by=town.head_of(garden), now=town.now)
    now = town.now
    support = support_cases.open_for(town.session, needs, text="需要支持", by=town.clerk_of(garden), now=now)
    run = town.drawn(ana, ben, cui, needs)
    placed = [each for each in (ana, needs, ben, cui) if town.offer_for(each)]
    town.confirm(placed[0])
    town.decline(placed[1])
    town.replay()
    town.approve_daily_replays()
    official, now = town.area_official(), town.now
    appeal = family_requests.ask(town.session, cui.id, "appeal", text="请核实派位。", by=town.parent_of(cui), now=now)
    reinstatements.reinstate(town.session, wrong.id, reason="户口簿属实", by=official, now=now)
    correction = town.requests_correction(placed[0], "name", name="安那")
    offer = town.offer_for(placed[0])
    revocations.revoke(town.session, offer.id, by=official, now=now, reason="房产证是假的")
    full_files.ask(town.session, run.id, kind="notary", recipient="王敏，公证处", reason="核验", by=first, now=now)
    central = town.place_centrally()
    round_ = f"{HERE}/rounds/{town.the_round.id}"
    return {
        "cases": f"{HERE}/cases",
        "case_page": f"{HERE}/cases/{appeal.id}",
        "support_case": f"{HERE}/cases/{support.id}/support",
        "phone_changes": f"{HERE}/cases/phone-changes",
        "revocations": f"{HERE}/cases/revocations",
        "revoke_page": f"{HERE}/cases/revocations/{offer.id}",
        "reinstatements": f"{HERE}/cases/reinstatements",
        "reinstate_page": f"{HERE}/cases/reinstatements/{wrong.id}",
        "corrections": f"{HERE}/corrections",
        "correction": f"{HERE}/corrections/{correction.id}",
        "new_correction": f"{HERE}/applications/{ben.id}/corrections/new",
        "draws": f"{HERE}/draws",
        "run_page": f"{HERE}/draws/runs/{run.id}",
        "full_file_page": f"{HERE}/draws/runs/{run.id}/full-file",
        "draw_room": f"{round_}/draw",
        "hour_page": f"{round_}/hour",
        "projector": f"{round_}/projector",
        "projector_scene": f"{round_}/projector/hour",
        "withdraw_daily_replays_page": f"{round_}/daily-replays/withdraw",
        "unplaced": f"{HERE}/unplaced",
        "unserved_child": f"{HERE}/unplaced/children/{cui.id}",
        "central_proposals": f"{HERE}/unplaced/central/{central.id}",
        "season_end": f"{HERE}/season/close",
    }


BUILDERS: dict[str, tuple[Callable[[Town], Addresses], frozenset[str]]] = {
    "before": (before_the_draw, BEFORE),
    "after": (after_the_draw, AFTER),
}


def _plan(town: Town, name: str) -> plans.MeasurePlan:
    """A plan that the search has found."""
    by, now, session = town.city_pair()[0], town.now, town.session
    made = plans.create(session, name, QUESTION, by=by, now=now)
    plans.request(session, made.id, version=made.version, by=by, now=now)
    task = search.read(session, made.id, now=now)
    tell = search.Reporter(lambda *_step: None, lambda _result: None, lambda: False)
    search.save(session, made.id, made.job_id, search.run(task, tell))
    search.finish(session, made.id, now=now)
    return made


def _study(town: Town) -> studies.LaboratoryStudy:
    """Three variants, one of which depends on how families behave."""
    by, now, session = town.city_pair()[0], town.now, town.session
    variants = [
        Variant("一所", Method.ONE_WISH, phases=2),
        Variant("排序", wishes=3),
        Variant("片区", reserve=Reserve.FIRST),
    ]
    made = studies.create(session, "一次报一所？", town.the_round.id, variants, draws=30, by=by, now=now)
    studies.request(session, made.id, version=1, by=by, now=now)
    for variant_id, result in drawing.draw(drawing.read(session, made.id, now=now), lambda *_done: None):
        drawing.save(session, variant_id, result)
    drawing.finish(session, made.id, now=now)
    return made


def _seats(town: Town) -> seat_searches.SeatSearch:
    now, session = town.now, town.session
    made = seat_searches.request(session, town.the_round.id, 20, by=town.city_pair()[0], now=now)
    found = seat_searches.run(seat_searches.read(session, made.id, now=now), lambda _done: None)
    seat_searches.finish(session, made.id, found, now=now)
    return made
