"""The dry run of a policy version says how many children would be placed differently, before anybody signs."""

import pytest
from sqlalchemy import select

from enrollment.ground.jobs import Job
from enrollment.laboratory import drawing, policy_outcomes
from enrollment.laboratory.study_rows import StudyState
from enrollment.season import policy_approval
from tests.domain.test_f03_rules_are_signed_by_two_after_a_dry_run import AREA, WRONG, without_examples

LOCAL = 11


@pytest.fixture
def families(town):
    """Eleven local families and eleven from elsewhere want the eleven places of the only kindergarten."""
    apple = town.kindergarten("金苹果", places=LOCAL)
    town.open_registration()
    elsewhere = {"hukou_kind": "elsewhere", "hukou_area": None, "hukou_street": None}
    tied = {"work_area": AREA, "residence_permit_area": AREA}
    for name in "甲乙丙丁戊己庚辛壬癸子":
        town.child(f"本{name}", wishes=[apple])
        town.child(f"外{name}", wishes=[apple], **elsewhere, **tied)
    return town


def test_f03_two_lines_mixed_up_turn_every_placement_and_the_dry_run_says_so(families):
    town, (first, _second) = families, families.city_pair()
    made = policy_approval.upload(town.session, without_examples(WRONG), area=AREA, year=2026, by=first, now=town.now)
    study = policy_outcomes.dry_run(town.session, made.id, by=first, now=town.now)
    assert made.dry_run_at == town.now and study.state == StudyState.RUNNING
    assert town.session.scalars(select(Job.kind).where(Job.id == study.job_id)).one() == "draw_laboratory"
    for variant_id, result in drawing.draw(drawing.read(town.session, study.id, now=town.now), lambda *_done: None):
        drawing.save(town.session, variant_id, result)
    drawing.finish(town.session, study.id, now=town.now)
    assert policy_outcomes.newest(town.session, made.id) is study
    before, after = (each.result for each in study.variants)
    assert after["groups"][0] == ["all", 2 * LOCAL, LOCAL, LOCAL]  # as many gain as lose: the net would say nothing
    assert before["figures"]["own"] == after["figures"]["own"]
    hukou = next(row for row in after["groups"] if row[0] == "local_hukou")
    assert hukou == ["local_hukou", LOCAL, 0, LOCAL]


def test_without_an_earlier_version_there_is_nothing_to_compare_with(town):
    first, _second = town.city_pair()
    town.area(AREA)
    town.season()
    made = policy_approval.upload(
        town.session,
        policy_approval.template("whole_district", AREA, 2026),
        area=AREA,
        year=2026,
        by=first,
        now=town.now,
    )
    assert policy_outcomes.dry_run(town.session, made.id, by=first, now=town.now) is None
