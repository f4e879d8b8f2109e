"""FAM04, FAM05, FAM20, FAM25: who a child is, whatever document it was entered with."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import identity_documents, receipts, registration, sibling_binding, wishes
from enrollment.applications.application_rows import Stage
from enrollment.corrections import added_documents
from enrollment.draw import duplicate_waivers
from enrollment.ground import identity
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import Notice
from enrollment.people import documents, likeness
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.people.person_rows import ChildDocument
from enrollment.places.programmes import Programme
from enrollment.review import cases, duplicates, refusals
from enrollment.season.round_rows import Round
from tests.domain.applications.test_fam13_documents_that_follow import add
from tests.support.prepared import prepared

BORN = dt.date(2022, 12, 10)
FIRST_ISSUE, SECOND_ISSUE = "H7654321001", "H7654321002"


@prepared
def garden(town):
    return town.kindergarten("锦官园", places=5)


def hints(town) -> list[DuplicateHint]:
    return list(town.session.scalars(select(DuplicateHint).order_by(DuplicateHint.found_at)))


def pair_of(town, garden, *, submit=True):
    """One girl, entered by her mother with a resident number and by her father with a passport."""
    first = town.child("王小二", born=BORN, wishes=[garden])
    town.at(town.now + dt.timedelta(hours=1))
    second = town.child(
        "WANG XIAOER", born=BORN, id_kind="passport", number="E12345678", wishes=[garden], submit=submit
    )
    return first, second


@pytest.mark.parametrize(
    ("kind", "one", "other", "same"),
    [
        ("hk_macau_permit", FIRST_ISSUE, SECOND_ISSUE, True),
        ("hk_macau_permit", "H76543210", SECOND_ISSUE, True),
        ("hk_macau_permit", "H76543210", "M76543210", False),
        ("taiwan_permit", "12345678", "1234567802", True),
        ("taiwan_permit", "12345678", "1234567902", False),
        ("passport", "E12345678", "E12345679", False),
        ("birth_certificate", "R510123456", "R510123457", False),
    ],
)
def test_fam04_the_persons_part_of_a_document_is_the_identity(kind, one, other, same):
    assert (identity.index_of(one, kind) == identity.index_of(other, kind)) is same


def test_fam04_a_roll_without_kinds_knows_a_permit_by_its_form_and_a_passport_is_somebody_else():
    assert identity.index_of(SECOND_ISSUE) == identity.index_of("H76543210", "hk_macau_permit")
    assert identity.index_of("H76543210", "passport") != identity.index_of("H76543210", "hk_macau_permit")


def test_fam04_a_permit_that_was_issued_again_is_refused_to_another_account(town):
    ana = town.child("安娜", born=BORN, id_kind="hk_macau_permit", number=FIRST_ISSUE)
    with pytest.raises(Refused, match="child_already_entered"):
        town.child("安娜", born=BORN, id_kind="hk_macau_permit", number=SECOND_ISSUE)
    assert documents.child_of(town.session, identity.index_of(SECOND_ISSUE)) == ana.child_id


def test_fam04_a_dispute_about_an_earlier_issue_finds_the_child(town, garden):
    ana = town.child("安·娜", born=BORN, id_kind="hk_macau_permit", number=FIRST_ISSUE, wishes=[garden])
    father = town.family("王")
    said = {"child_name": "安•娜", "id_kind": "hk_macau_permit", "id_number": SECOND_ISSUE, "text": "由我抚养"}
    case = cases.open_dispute(town.session, **said, by=father.actor, now=town.now)
    assert case.application_id == ana.id


@pytest.mark.parametrize("name", ["王小二", "WANG XIAOER", "Xiaoer Wang", "wáng xiǎo'èr"])
def test_fam04_a_name_sounds_the_same_in_characters_and_in_a_passport(name):
    assert likeness.sound_key(name) == likeness.sound_key("王小二")


def test_fam04_names_with_accents_dots_and_other_scripts_keep_their_letters():
    assert likeness.name_key("José·Ñandú") == likeness.name_key("JOSE Nandu")
    assert likeness.sound_key("Анна") != likeness.sound_key("Ольга")
    assert likeness.sound_key("吕布") == likeness.sound_key("LYU BU")
    assert likeness.sound_key("林怡") != likeness.sound_key("尹丽")


def test_fam04_a_child_who_looks_like_another_stands_at_the_clerks_desk(town, garden):
    first, second = pair_of(town, garden)
    (pair,) = duplicates.open_pairs(town.session, by=town.clerk_of(garden))
    assert [side.child.id for side in pair.sides] == [first.child_id, second.child_id]
    elsewhere = town.kindergarten("别处园", places=1)
    assert duplicates.open_pairs(town.session, by=town.clerk_of(elsewhere)) == []


def test_fam04_another_birth_date_or_sex_is_no_hint(town, garden):
    pair_of(town, garden)
    town.child("王小二", born=BORN + dt.timedelta(days=1))
    town.child("王小二", born=BORN, sex="m")
    assert len(hints(town)) == 1


def test_fam04_a_verdict_belongs_to_the_pair_for_ever(town, garden):
    _first, second = pair_of(town, garden)
    (hint,) = hints(town)
    clerk = town.clerk_of(garden)
    duplicates.judge(town.session, hint.id, verdict="different", reason="父母不同", by=clerk, now=town.now)
    for name in ("王晓二", "王小二"):
        registration.correct_child(
            town.session,
            second.id,
            name=name,
            id_kind="passport",
            id_number="E12345678",
            relation="mother",
            born=BORN,
            sex="f",
            by=town.parent_of(second),
            now=town.now,
        )
    assert [each.verdict for each in hints(town)] == ["different"]
    assert duplicates.open_pairs(town.session, by=clerk) == []
    with pytest.raises(Refused, match="decided_already"):
        duplicates.judge(town.session, hint.id, verdict="same", reason="x", by=clerk, now=town.now)


def test_fam04_the_same_child_needs_two_people_and_the_first_list_stays(town, garden):
    first, second = pair_of(town, garden)
    before = receipts.latest(town.session, first).digest
    (hint,) = hints(town)
    clerk, head = town.clerk_of(garden), town.head_of(garden)
    said = {"verdict": "same", "reason": "户口簿和护照是一个人", "now": town.now}
    duplicates.judge(town.session, hint.id, by=clerk, **said)
    assert second.stage == Stage.SUBMITTED
    with pytest.raises(Refused, match="second_person_needed"):
        duplicates.judge(town.session, hint.id, by=clerk, **said)
    with pytest.raises(Refused, match="only_a_head_or_official_decides"):
        duplicates.judge(town.session, hint.id, by=town.clerk_of(garden), **said)
    duplicates.judge(town.session, hint.id, by=head, **said)
    assert (first.stage, second.stage) == (Stage.SUBMITTED, Stage.REFUSED)
    assert refusals.refusal_of(town.session, second.id).explanation == "户口簿和护照是一个人"
    told = select(Notice.kind).where(Notice.application_id == second.id, Notice.kind == "review_refused")
    assert town.session.scalars(told).all() == ["review_refused"]
    assert [each.kind for each in documents.of_family(town.session, first.child_id)] == ["resident"]
    assert registration.returning_children(town.session, 2027, by=town.parent_of(second), now=town.now) == []
    held = documents.documents_of(town.session, first.child_id)
    assert [(each.kind, each.current) for each in held] == [("resident", True), ("passport", False)]
    assert receipts.latest(town.session, first).digest == before
    with pytest.raises(Refused, match="child_already_entered"):
        town.child("WANG XIAOER", born=BORN, id_kind="passport", number="E12345678")


def frozen_ready(town, garden):
    first, second = pair_of(town, garden)
    town.everyone_is_reviewed()
    town.close_registration()
    return first, second


def test_fam04_no_list_is_frozen_with_an_open_pair(town, garden):
    frozen_ready(town, garden)
    with pytest.raises(Refused) as refused:
        town.freeze()
    assert (refused.value.code, refused.value.details) == ("duplicates_undecided", {"n": 1})
    (hint,) = hints(town)
    duplicates.judge(
        town.session, hint.id, verdict="different", reason="父母不同", by=town.clerk_of(garden), now=town.now
    )
    assert town.freeze().children == 2


def test_fam04_two_officials_may_freeze_with_a_public_reason(town, garden):
    frozen_ready(town, garden)
    one, other = town.city_pair()
    waive = duplicate_waivers.waive
    with pytest.raises(Refused, match="say_why"):
        waive(town.session, town.the_round.id, " ", by=one, now=town.now)
    assert waive(town.session, town.the_round.id, "公安未能及时答复", by=one, now=town.now) == 1
    with pytest.raises(Refused, match="duplicates_undecided"):
        town.freeze()
    with pytest.raises(Refused, match="signed_already"):
        waive(town.session, town.the_round.id, "", by=one, now=town.now)
    assert waive(town.session, town.the_round.id, "", by=other, now=town.now) == 2
    assert town.freeze().children == 2
    (record,) = duplicate_waivers.approved_of(town.session, town.the_round.id)
    assert (record.reason, record.pairs) == ("公安未能及时答复", 1)


def test_fam04_a_pair_that_does_not_take_part_stops_nothing(town, garden):
    pair_of(town, garden, submit=False)
    town.everyone_is_reviewed()
    assert town.freeze().children == 1


def test_fam05_one_account_joins_its_own_two_entries(town, garden):
    family = town.family("王")
    first = town.child("王小二", born=BORN, family=family, wishes=[garden])
    second = registration.enter_child(
        town.session,
        2026,
        name="Wang Xiaoer",
        id_kind="passport",
        id_number="E12345678",
        relation="mother",
        born=BORN,
        sex="f",
        by=family.actor,
        now=town.now,
    )
    assert len(hints(town)) == 1
    assert documents.question_is_due(town.session, second.child_id)
    stays = identity_documents.answer_entered_before(
        town.session,
        second.id,
        entered_before="yes",
        id_kind="resident",
        id_number=first.child.id_number,
        by=family.actor,
        now=town.now,
    )
    assert (stays.id, first.stage, second.stage) == (first.id, Stage.SUBMITTED, Stage.WITHDRAWN)
    assert len(documents.documents_of(town.session, first.child_id)) == 2
    with pytest.raises(Refused, match="child_joined"):
        town.apply_again(second)


def bound_entry(town, garden):
    """The same girl again, entered by another account and bound there to her brother."""
    first = town.child("王小二", born=BORN, wishes=[garden])
    family = town.family("王")
    town.at(town.now + dt.timedelta(hours=1))
    second = town.child(
        "WANG XIAOER", family=family, born=BORN, id_kind="passport", number="E12345678", wishes=[garden]
    )
    brother = town.child("王小三", family=family, wishes=[garden])
    town.bind(second, brother)
    assert second.unit == brother.unit is not None
    return first, second, brother, family


def test_fam04_a_duplicate_leaves_its_bond_and_the_other_child_keeps_its_list(town, garden):
    _first, second, brother, _family = bound_entry(town, garden)
    (hint,) = hints(town)
    said = {"verdict": "same", "reason": "户口簿和护照是一个人", "now": town.now}
    duplicates.judge(town.session, hint.id, by=town.clerk_of(garden), **said)
    duplicates.judge(town.session, hint.id, by=town.head_of(garden), **said)
    assert (second.stage, second.unit, brother.unit, brother.stage) == (Stage.REFUSED, None, None, Stage.SUBMITTED)
    assert wished_kindergartens(town, brother) == [garden.id]
    assert who_told(town, brother, "bond_refuse") == ["kindergarten"]


def test_fam05_an_entry_that_is_joined_with_an_earlier_one_leaves_its_bond(town, garden):
    first, second, brother, family = bound_entry(town, garden)
    town.second_guardian(first, other=family)
    identity_documents.answer_entered_before(
        town.session,
        second.id,
        entered_before="yes",
        id_kind="resident",
        id_number=first.child.id_number,
        by=family.actor,
        now=town.now,
    )
    assert (first.stage, second.stage, second.unit, brother.unit) == (Stage.SUBMITTED, Stage.WITHDRAWN, None, None)
    assert who_told(town, brother, "bond_withdraw") == ["you"]


def wished_kindergartens(town, application):
    found = wishes.of(town.session, application.id, town.the_round.id)
    return [town.session.get_one(Programme, each.programme_id).kindergarten_id for each in found]


def who_told(town, application, kind):
    told = select(Notice.params).where(Notice.application_id == application.id, Notice.kind == kind)
    return [params["who"] for params in town.session.scalars(told)]


def test_fam05_a_yes_about_a_strangers_document_is_a_hint_and_changes_nothing(town, garden):
    first = town.child("安娜", born=BORN, wishes=[garden])
    second = town.child("王小二", born=BORN, id_kind="passport", number="E12345678")
    answered = town.session.scalars(select(ChildDocument).where(ChildDocument.child_id == second.child_id)).one()
    answered.entered_before = None
    joined = identity_documents.answer_entered_before(
        town.session,
        second.id,
        entered_before="yes",
        id_kind="resident",
        id_number=first.child.id_number,
        by=town.parent_of(second),
        now=town.now,
    )
    assert joined is None
    assert len(hints(town)) == 1
    assert (first.stage, second.stage) == (Stage.SUBMITTED, Stage.DRAFT)


def test_fam05_only_a_first_resident_number_is_not_asked_about(town):
    ana = town.child("安娜", born=BORN)
    assert not documents.question_is_due(town.session, ana.child_id)
    add(town, ana, "passport", "E12345678")
    assert documents.question_is_due(town.session, ana.child_id)


def test_fam05_without_an_answer_nothing_is_handed_in(town, garden):
    ana = town.child("安娜", born=BORN)
    add(town, ana, "passport", "E12345678")
    town.open_registration()
    town.wish(ana, garden)
    with pytest.raises(Refused) as refused:
        town.submit(ana)
    assert (refused.value.code, refused.value.field) == ("not_complete", "documents")
    town.not_entered_before(ana)
    assert town.submit(ana).number == 1


@pytest.mark.parametrize(
    "name",
    [
        "Maximiliana-Alexandrina Wolfeschlegelsteinhausenber",
        "买买提江·阿卜杜热合曼·吐尔逊",
        "José María Ñúñez y O’Connor",
        "x" * 120,
    ],
)
def test_fam20_a_long_name_is_kept_as_it_is(town, name):
    assert town.child(name, born=BORN, family=town.family("李")).child.name == name


def test_fam20_a_name_of_121_letters_is_refused_with_the_number(town):
    with pytest.raises(Refused) as refused:
        town.child("x" * 121, born=BORN)
    assert (refused.value.code, refused.value.details) == ("name_odd", {"n": 120})


def test_fam25_a_draft_that_cannot_take_part_is_no_elder_sibling(town, garden):
    family = town.family("李")
    younger = town.child("小李", family=family, wishes=[garden])
    elder = town.child("大李", family=family, level="middle", submit=False)
    middle = town.session.get(type(town.the_round), _round_of(town, "middle"))
    by = family.actor

    def offered():
        return [one.id for one in sibling_binding.elders(town.session, younger, now=town.now, by=by)]

    assert offered() == [elder.id]
    middle.levels = ["upper"]
    town.session.flush()
    assert offered() == []
    with pytest.raises(Refused, match="not_an_elder_sibling"):
        town.follow_elder(younger, elder)


def _round_of(town, level):
    return next(row.id for row in town.session.scalars(select(Round)) if level in row.levels)


def test_a_passport_beside_a_resident_number_replaces_nothing(town, garden):
    """Registers are asked by the resident number: with a passport in its place every paper would be asked for."""
    ana = town.child("安娜", born=BORN, wishes=[garden])
    assert add(town, ana, "passport", "EJ1234567") is True
    assert (ana.child.id_kind, documents.current_document(town.session, ana.child_id).kind) == ("resident", "resident")
    assert documents.child_of(town.session, identity.index_of("EJ1234567")) == ana.child_id, (
        "it identifies the child too"
    )
    town.close_registration()
    assert add(town, ana, "passport", "EJ7654321") is False
    [(late, _child, _application)] = duplicates.documents_to_look_at(town.session, by=town.clerk_of(garden))
    before = receipts.latest(town.session, ana).number
    added_documents.look_at_document(town.session, late.id, accepted=True, by=town.clerk_of(garden), now=town.now)
    town.session.expire_all()
    assert (ana.child.id_kind, late.current, late.replaced_at) == ("resident", False, None)
    assert receipts.latest(town.session, ana).number == before
