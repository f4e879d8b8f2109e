"""What desks and cases about guardians keep goes with the application, the child and the account."""

from sqlalchemy import func, select

from enrollment.applications.guardian_access import access_codes, desk_access, phone_changes
from enrollment.ground.accounts import Account
from enrollment.offers import desk_answers
from enrollment.people.desk_rows import AccessCode, AccessCodeUse, DeskContact, IdentityCheck, PhoneChange
from enrollment.people.person_rows import Guardian
from enrollment.review import cases, guardian_requests
from enrollment.review.case_rows import GuardianRequest
from enrollment.review.guardian_requests import Paper
from tests.domain.maintenance.test_retention import A_YEAR_LATER, THREE_YEARS_LATER, apply
from tests.support.town_helping import photo_of_a_paper

TABLES = (IdentityCheck, AccessCode, AccessCodeUse, DeskContact, GuardianRequest, PhoneChange)


def counted(town):
    return {table: town.session.scalar(select(func.count()).select_from(table)) for table in TABLES}


def test_fam11_rows_of_desks_go_a_year_after_the_season(town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden])
    mother, clerk = town.session.get_one(Account, ana.entered_by), town.clerk_of(garden)
    town.second_guardian(ana)
    guardian = town.session.scalars(select(Guardian).where(Guardian.account_id == mother.id)).one()
    desk_access.check_identity(
        town.session, ana.id, mother.id, document_kind="resident", document_end=guardian.id_number[-4:],
        purpose="desk", by=clerk, now=town.now,
    )  # fmt: skip
    text = town.prints_code(ana, mother.id, by=clerk)
    access_codes.sign_in_with(town.session, text, now=town.now)
    codes = phone_changes.send_codes(town.session, mother.id, "13955556666", by=clerk, now=town.now)
    phone_changes.request_at_desk(town.session, ana.id, mother.id, "13955556666", codes.new, "", by=clerk, now=town.now)
    desk_answers.record_contact(town.session, ana.id, "call", by=clerk, now=town.now)
    case = guardian_requests.request_addition(
        town.session, ana.id, "13911119999", Paper(photo_of_a_paper()), text="x", by=town.parent_of(ana), now=town.now
    )
    cases.settle(town.session, case.id, outcome="rejected", reason="x", by=town.area_official(), now=town.now)
    assert set(counted(town).values()) == {1}
    apply(town, A_YEAR_LATER)
    assert counted(town) == dict.fromkeys(TABLES, 0) | {PhoneChange: 1}
    town.season(2028)
    apply(town, THREE_YEARS_LATER)
    assert counted(town) == dict.fromkeys(TABLES, 0)
