"""FAM06: after the freeze who a child is changes by a decided request alone, and what vouches for it gets a new code."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from enrollment.applications import receipts, registration, submission
from enrollment.applications.application_rows import Stage
from enrollment.applications.guardian_access import guardian_takeover
from enrollment.corrections import decisions, escalation, request_list, requests
from enrollment.ground import identity, sign_in
from enrollment.ground.accounts import actor_of
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.outbox import Notice
from enrollment.offers.arrivals import absences, arrival
from enrollment.offers.offer_rows import ReplacedNotice
from enrollment.people import documents
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_rows import RollChild, RollCorrection
from enrollment.results import admission_notice
from enrollment.review.correction_rows import CHILD_IDENTITY, CorrectionKind
from tests.support.staff_leaving import loses_the_role
from tests.support.town_families import id_number
from tests.support.town_season import at


def typed_anew(town, application, *, by=None, **changed):
    """The child's page with some fields changed."""
    child = application.child
    said = {"name": child.name, "id_kind": child.id_kind, "id_number": child.id_number, "relation": "mother"} | changed
    return registration.correct_child(
        town.session, application.id, by=by or town.parent_of(application), now=town.now, **said
    )


def changes(child) -> list[dict]:
    return [{"name": "王小二"}, {"id_number": id_number(child.born)}, {"id_number": id_number(child.born, "m")}]


def refused(town, application, *, by=None) -> None:
    for changed in changes(application.child):
        with pytest.raises(Refused, match="identity_needs_a_request"), town.session.begin_nested():
            typed_anew(town, application, by=by, **changed)


def placed(town, name="错名保"):
    town.garden = town.kindergarten("金苹果", places=2)
    application = town.child(name, wishes=[town.garden])
    town.drawn(application)
    return application


def supplementary(town) -> None:
    town.silence_if_any()
    town.round(kind="supplementary")
    town.programme(town.kindergarten("牡丹"), places=3)
    town.open_registration()


def test_fam06_before_the_freeze_it_is_typed_anew_and_no_request_is_needed(town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    for changed in changes(ana.child):
        typed_anew(town, ana, **changed)
    assert ana.child.name == "王小二"
    with pytest.raises(Refused, match="correction_not_needed"):
        town.requests_correction(ana, "name", name="安安")


@pytest.mark.parametrize("answer", ["confirm", "decline", "silence"])
def test_fam06_while_the_supplementary_round_is_open(town, answer):
    ana = placed(town)
    if answer != "silence":
        getattr(town, answer)(ana)
    supplementary(town)
    refused(town, ana)
    refused(town, ana, by=town.second_guardian(ana).actor)
    registration.correct_child(  # the relation is nothing that a notice vouches for
        town.session, ana.id, name=ana.child.name, id_kind="resident", id_number=ana.child.id_number, relation="other",
        by=town.parent_of(ana), now=town.now,
    )  # fmt: skip


def test_fam06_a_returned_application_in_the_supplementary_round(town):
    garden = town.kindergarten("金苹果", places=1)
    ana, ben = town.child("安娜", wishes=[garden]), town.child("本本", wishes=[garden])
    town.clerk_sends_back(ana, "hukou_area")
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    town.run()
    town.publish()
    supplementary(town)
    refused(town, ana)
    refused(town, ben)


def test_fam06_on_a_helpers_page(town):
    garden = town.kindergarten("金苹果", places=2)
    town.open_registration()
    helper = town.helper()
    acting = town.acting(helper, town.mandate_on_paper(helper, "13811112222"))
    ana = town.helper_enters(acting, wishes=[garden])
    town.drawn(ana)
    supplementary(town)
    refused(town, ana, by=acting)


def test_fam06_after_the_guardian_took_the_helpers_application_over(town):
    garden = town.kindergarten("金苹果", places=2)
    town.open_registration()
    helper = town.helper()
    mandate = town.mandate_on_paper(helper, "13811112222")
    ana = town.helper_enters(
        town.acting(helper, mandate), wishes=[garden], guardians_number=(number := id_number(dt.date(1988, 3, 3)))
    )
    town.drawn(ana)
    supplementary(town)
    guardian = actor_of(sign_in.account_of_phone(town.session, "13811112222", now=town.now))
    assert guardian_takeover.take_over(town.session, mandate.id, number, by=guardian, now=town.now)
    refused(town, ana, by=guardian)
    town.two_agree(town.requests_correction(ana, "name", name="张小包", by=guardian))
    assert ana.child.name == "张小包"


def test_fam06_applying_again_after_a_withdrawal(town):
    ana = placed(town)
    town.decline(ana)
    supplementary(town)
    submission.withdraw(town.session, ana.id, by=town.parent_of(ana), now=town.now)
    town.apply_again(ana)
    assert ana.stage == Stage.DRAFT
    refused(town, ana)


def test_fam06_on_the_page_of_the_next_season(town):
    ana = placed(town)
    town.confirm(ana)
    town.at(at(9, 2))
    town.season(2027)
    town.the_round = None
    town.at(at(5, 21, year=2027))
    town.round(levels=["middle"])
    known = {"id_kind": "resident", "id_number": ana.child.id_number, "relation": "mother"}
    family = {"by": town.parent_of(ana), "now": town.now}
    with pytest.raises(Refused, match="own_child_has_this_number"), town.session.begin_nested():
        registration.enter_child(town.session, 2027, name="王小二", **known, **family)
    next_year = registration.enter_child(town.session, 2027, name="错名保", **known, **family)
    assert next_year.child.name == "错名保"
    refused(town, next_year)
    assert requests.is_possible(town.session, next_year, now=town.now)
    first, second = town.city_pair()
    request = town.requests_correction(next_year, "name", name="王小二")
    code = town.offer_for(ana).notice_code
    town.agrees(request, first)
    town.agrees(request, second)
    assert ana.child.name == "王小二"
    assert admission_notice.check(town.session, code).state == "replaced", "last year's notice is of the same child"


def test_fam06_a_decided_name_gives_a_new_code_and_the_old_one_tells_only_the_day(town):
    ana = placed(town)
    town.confirm(ana)
    old = admission_notice.of_application(town.session, ana.id, by=town.parent_of(ana)).code
    request = town.requests_correction(ana, "name", name="王小二")
    clerk, head = town.desk_pair(ana)
    town.at(town.now + dt.timedelta(days=1))
    town.agrees(request, clerk)
    assert ana.child.name == "错名保", "one person alone changes nothing"
    assert admission_notice.check(town.session, old).child_name == "错名保"
    town.agrees(request, head)
    new = admission_notice.of_application(town.session, ana.id, by=town.parent_of(ana))
    assert (new.child_name, request.state) == ("王小二", "applied")
    assert new.code != old
    told = admission_notice.check(town.session, old)
    assert (told.state, told.since, told.child_name) == ("replaced", town.now, None)
    assert admission_notice.check(town.session, new.code).child_name == "王小二"
    receipt = receipts.latest(town.session, ana)
    assert (receipt.corrected, receipt.helper, receipt.changed) == (True, None, ("child.name",))


def test_fam06_an_agreement_counts_while_its_person_may_decide_and_after_the_request_was_handed_on(town):
    ana = placed(town)
    town.confirm(ana)
    request = town.requests_correction(ana, "name", name="王小二")
    clerk, head = town.desk_pair(ana)
    town.agrees(request, clerk)
    loses_the_role(town, clerk)
    assert decisions.signed_by(town.session, request) == []
    assert town.agrees(request, head).state == "signed", "the first of two"
    town.at(request.due_at + dt.timedelta(minutes=1))
    escalation.hand_on_overdue(town.session, now=town.now)
    assert request.escalated_at == town.now
    assert [each.account_id for each in decisions.signed_by(town.session, request)] == [head.account_id]
    assert town.agrees(request, town.area_official()).state == "applied"


def test_fam06_the_roll_has_a_dated_entry(town):
    ana = placed(town)
    town.confirm(ana)
    town.at(at(8, 21))
    head = town.head_of(town.garden)
    offer = town.offer_for(ana)
    arrival.arrive(town.session, offer.id, class_name="小一班", health=True, vaccination=True, by=head, now=town.now)
    number = id_number(ana.child.born)
    request = town.requests_correction(ana, "document", id_kind="resident", id_number=number)
    town.two_agree(request)
    on_roll = town.session.scalars(select(RollChild)).one()
    assert (on_roll.id_number, on_roll.id_index) == (number, ana.child.id_index)
    entry = town.session.scalars(select(RollCorrection)).one()
    assert (entry.corrected_on, entry.changed) == (dt.date(2026, 8, 21), ["id_number"])
    assert town.session.scalar(select(func.count()).select_from(ReplacedNotice)) == 1


STATES = ("offered", "confirmed", "confirmed_waiting", "declined", "expired", "arrived", "no_show", "unplaced")


def in_state(town, state):
    """A child whose offer is in this state; `unplaced` has none."""
    town.garden, hill = town.kindergarten("金苹果", places=1), town.kindergarten("山坡", places=1)
    rival = town.child("先先", wishes=[hill])
    ana = town.child("错名保", wishes=[hill] if state == "unplaced" else [hill, town.garden])
    town.drawn(rival, ana)
    if state in ("confirmed", "arrived", "no_show"):
        town.confirm(ana)
    elif state == "confirmed_waiting":
        town.confirm(ana, wait=True)
    elif state == "declined":
        town.decline(ana)
    elif state == "expired":
        town.silence()
    if state in ("arrived", "no_show"):
        town.at(at(8, 21))
        head, offer = town.head_of(town.garden), town.offer_for(ana)
        if state == "arrived":
            checks = {"health": True, "vaccination": True}
            arrival.arrive(town.session, offer.id, class_name="小一班", by=head, now=town.now, **checks)
        else:
            absences.mark_no_show(town.session, offer.id, reason="没有来", by=head, now=town.now)
    last = town.last_offer_for(ana)
    assert state == ("unplaced" if last is None else last.state)
    return ana


@pytest.mark.parametrize("state", STATES)
def test_fam06_each_state_of_an_offer_and_who_may_ask(town, state):
    ana = in_state(town, state)
    offer = town.last_offer_for(ana)
    code = offer.notice_code if offer else None
    refused_codes = []
    for changed in changes(ana.child):
        try:
            with town.session.begin_nested():
                typed_anew(town, ana, **changed)
        except Refused as said:
            refused_codes.append(said.code)
    assert refused_codes == ["registration_closed"] * 3
    stranger = town.family("陌").actor
    with pytest.raises(NotFound):
        town.requests_correction(ana, "name", name="王小二", by=stranger)
    with pytest.raises(NotFound):
        town.finds_error(ana, "name", by=town.clerk_of(town.kindergarten("别园")), name="王小二")
    other = town.second_guardian(ana)
    request = town.requests_correction(ana, "name", name="王小二", by=other.actor)
    town.two_agree(request)
    after = town.last_offer_for(ana)
    assert ana.child.name == "王小二"
    vouches = state in ("confirmed", "confirmed_waiting", "arrived")
    assert (offer is None or after.notice_code != code) == (vouches or offer is None)
    assert offer is None or after.state == state, "the place stays as it was"
    kinds = select(Notice.kind, func.count()).where(Notice.kind.like("correction%")).group_by(Notice.kind)
    assert dict(town.session.execute(kinds).all()) == {
        "correction_requested": 2, "correction_signed": 2,
        "correction_applied_new_notice" if vouches else "correction_applied": 2,
    }, "both guardians, at each step"  # fmt: skip


@pytest.mark.parametrize("kind", CHILD_IDENTITY)
def test_fam06_each_kind_of_identity(town, kind):
    town.garden = town.kindergarten("金苹果", places=2)
    family = town.family("李")
    town._registration_for("lower", 2026, wishes=True)
    ana = town.child("安娜", family=family, submit=False)
    registration.correct_child(
        town.session, ana.id, name="安娜", id_kind="passport", id_number="E12345678", relation="mother",
        born=ana.child.born, sex="f", by=family.actor, now=town.now,
    )  # fmt: skip
    town.not_entered_before(ana)
    town.wish(ana, town.garden)
    town.submit(ana)
    town.drawn(ana)
    born = ana.child.born + dt.timedelta(days=10)
    typed = {
        CorrectionKind.NAME: {"name": "安那"},
        CorrectionKind.BIRTH_DATE: {"born": born},
        CorrectionKind.SEX: {"sex": "m"},
        CorrectionKind.DOCUMENT: {"id_kind": "passport", "id_number": "E87654321"},
    }
    town.two_agree(town.requests_correction(ana, kind, **typed[kind]))
    said = {name: getattr(ana.child, name) for name in typed[kind]}
    assert said == typed[kind]
    assert town.place_of(ana) == town.garden


def test_fam06_the_kind_of_a_document_alone(town):
    """A birth certificate was entered as a passport: the child is found by the corrected document, and by no other."""
    town.garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", id_kind="passport", number="R510123456", wishes=[town.garden])
    town.drawn(ana)
    mistaken, right = (identity.index_of("R510123456", kind) for kind in ("passport", "birth_certificate"))
    said = {"id_kind": "birth_certificate", "id_number": "R510123456"}
    town.two_agree(town.requests_correction(ana, "document", **said))
    assert documents.child_of(town.session, mistaken) is None
    assert documents.child_of(town.session, right) == ana.child_id
    assert (ana.child.id_kind, ana.child.id_index) == ("birth_certificate", right)
    assert documents.current_document(town.session, ana.child_id).kind == "birth_certificate"


def test_fam06_a_corrected_name_that_looks_like_another_child_is_a_hint(town):
    town.garden = town.kindergarten("金苹果", places=2)
    ana, ben = town.child("安娜", wishes=[town.garden]), town.child("本本", wishes=[town.garden])
    town.drawn(ana)
    town.two_agree(town.requests_correction(ben, "name", name="安娜"))
    hint = town.session.scalars(select(DuplicateHint)).one()
    assert {hint.child_a, hint.child_b} == {ana.child_id, ben.child_id}


def test_fam06_two_different_people_and_the_second_is_a_head_or_official(town):
    ana = placed(town)
    request = town.requests_correction(ana, "name", name="王小二")
    clerk = town.reviewer_of(ana)
    town.agrees(request, clerk)
    with pytest.raises(Refused, match="signed_already"), town.session.begin_nested():
        town.agrees(request, clerk)
    with pytest.raises(Refused, match="only_a_head_or_official_decides"), town.session.begin_nested():
        town.agrees(request, town.clerk_of(town.garden))
    with pytest.raises(NotFound):
        town.agrees(request, town.area_official("510105"))
    with pytest.raises(NotFound):
        town.agrees(request, town.parent_of(ana))
    town.agrees(request, town.area_official("510104"))
    assert ana.child.name == "王小二"


def test_fam06_a_stale_page_and_a_second_decision(town):
    ana = placed(town)
    request = town.requests_correction(ana, "name", name="王小二")
    clerk, head = town.desk_pair(ana)
    town.agrees(request, clerk)
    with pytest.raises(Stale):
        town.agrees(request, head, version=1)
    town.refuses(request, head)
    with pytest.raises(Refused, match="decided_already"):
        town.agrees(request, head)
    assert (ana.child.name, request.answer) == ("错名保", "材料看不出来")


def test_fam06_a_number_of_another_child_is_told_to_the_desk_and_not_to_the_family(town):
    town.garden = town.kindergarten("金苹果", places=2)
    ana, ben = town.child("安娜", wishes=[town.garden]), town.child("本本", wishes=[town.garden])
    town.drawn(ana)
    request = town.requests_correction(ana, "document", id_kind="resident", id_number=ben.child.id_number)
    clerk, head = town.desk_pair(ana)
    town.agrees(request, clerk)
    with pytest.raises(Refused, match="number_of_another_child"):
        town.agrees(request, head)


def test_fam06_a_request_needs_a_paper_a_reason_and_a_change(town):
    ana = placed(town)
    for code, more in (
        ("correction_needs_a_paper", {"papers": [], "name": "王小二"}),
        ("correction_changes_nothing", {"name": "错名保"}),
        ("name_odd", {"name": "王小2"}),
    ):
        with pytest.raises(Refused, match=code), town.session.begin_nested():
            town.requests_correction(ana, "name", **more)
    with pytest.raises(Refused, match="correction_changes_nothing"), town.session.begin_nested():
        town.requests_correction(ana, "birth_date", born=ana.child.born + dt.timedelta(days=1))
    town.requests_correction(ana, "name", name="王小二")
    with pytest.raises(Refused, match="correction_is_open"):
        town.requests_correction(ana, "name", name="王小三")


def test_fam06_a_birth_date_of_another_level_is_no_correction_of_a_published_result(town):
    ana = placed(town)
    number = id_number(ana.child.born.replace(year=ana.child.born.year - 1))
    with pytest.raises(Refused, match="result_of_other_level"):
        town.requests_correction(ana, "document", id_kind="resident", id_number=number)


def test_fam06_the_family_takes_a_request_back_and_a_dispute_holds_it(town):
    ana = placed(town)
    request = town.requests_correction(ana, "name", name="王小二")
    clerk, _head = town.desk_pair(ana)
    ana.on_hold = True
    with pytest.raises(Refused, match="on_hold"), town.session.begin_nested():
        town.agrees(request, clerk)
    ana.on_hold = False
    requests.withdraw(town.session, request.id, version=request.version, by=town.parent_of(ana), now=town.now)
    assert request.state == "withdrawn"
    with pytest.raises(Refused, match="decided_already"):
        decisions.agree(town.session, request.id, version=request.version, reason="x", by=clerk, now=town.now)


def test_fam06_the_list_of_a_desk(town):
    ana = placed(town)
    request = town.requests_correction(ana, "name", name="王小二")
    clerk, head = town.desk_pair(ana)

    def listed(show, by):
        return [each.request for each in request_list.listing(town.session, show=show, by=by, now=town.now)]

    assert listed("open", clerk) == listed("open", head) == [request]
    assert listed("due", head) == listed("mine", head) == listed("decided", head) == []
    assert listed("open", town.clerk_of(town.kindergarten("别园"))) == []
    town.agrees(request, clerk)
    assert (listed("mine", clerk), listed("mine", head)) == ([request], [])
    town.at(request.due_at)
    assert listed("due", head) == [request]
    town.agrees(request, head)
    assert (listed("open", head), listed("decided", head)) == ([], [request])
    assert town.session.get_one(Kindergarten, request.kindergarten_id).name == "金苹果"
