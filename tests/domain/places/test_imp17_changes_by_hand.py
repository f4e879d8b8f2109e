"""IMP17: an import asks before it writes over what a person entered since the last one."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from enrollment.ground.accounts import SYSTEM
from enrollment.places import ledger, roll_corrections
from enrollment.places.imports import importer
from enrollment.places.imports.changes import ChangedSinceCheck
from enrollment.places.roll import RollChild, RollClass
from tests.domain.places.office_lists import BEN, CHILDREN, of
from tests.support.office_files import xlsx

PLAN = ["学校标识码", "年级段", "班数"]


class TestImp17ChangesByHand:
    @pytest.fixture
    def planned(self, town, three, take_in, session):
        take_in("programmes", xlsx(PLAN, [["51010499001", "小班", 2]], title=None))
        return town.programme_of(of(session, "51010499001"))

    @pytest.fixture
    def by_hand(self, town, planned, session):
        k = planned.kindergarten
        ask = {
            "by": town.clerk_of(k),
            "now": town.now,
            "reason": "教师到位",
            "planned_classes": 4,
            "staffed_classes": 4,
        }
        ledger.propose(session, planned.id, **ask)
        ledger.approve_kindergarten(session, k.id, planned.year, by=SYSTEM, now=town.now)
        session.flush()
        return planned

    def test_imp17_a_plan_changed_by_hand_is_asked_and_kept(self, by_hand, take_in, session):
        difference = take_in("programmes", xlsx(PLAN, [["51010499001", "小班", 3]], title=None))
        (conflict,) = difference.conflicts
        assert (conflict.reason, conflict.fields["planned_classes"]) == ("changed_by_hand", (4, 3))
        assert (difference.is_empty, difference.kept) == (True, 1)
        assert by_hand.planned_classes == 4

    def test_imp17_the_file_wins_where_it_is_said(self, by_hand, take_in, session):
        content = xlsx(PLAN, [["51010499001", "小班", 3]], title=None)
        asked = take_in("programmes", content)
        difference = take_in("programmes", content, overwrite={"51010499001/lower/2026"})
        session.refresh(by_hand)
        assert by_hand.planned_classes == 3
        assert difference.digest == asked.digest
        assert take_in("programmes", xlsx(PLAN, [["51010499001", "小班", 2]], title=None)).conflicts == []

    @pytest.mark.parametrize("is_approved", [True, False])
    def test_imp17_what_is_entered_while_a_list_is_written_is_not_replaced_unseen(
        self, town, planned, session, is_approved
    ):
        k = planned.kindergarten

        def meanwhile(difference):
            assert (difference.counts["changed"], difference.conflicts) == (1, [])
            ask = {"by": town.clerk_of(k), "now": town.now, "reason": "申请", "planned_classes": 4}
            ledger.propose(session, planned.id, **ask)
            if is_approved:
                ledger.approve_kindergarten(session, k.id, planned.year, by=SYSTEM, now=town.now)

        content = xlsx(PLAN, [["51010499001", "小班", 3]], title=None)
        more = {"by": SYSTEM, "now": town.now, "year": 2026, "approve": meanwhile}
        with pytest.raises(ChangedSinceCheck):
            importer.import_file(session, "programmes", "计划.xlsx", content, **more)
        waiting = ledger.open_proposal(session, planned.id)
        assert (waiting is None) == is_approved

    def test_imp17_an_open_proposal_is_asked_and_kept(self, town, planned, take_in, session):
        k = planned.kindergarten
        ask = {"by": town.clerk_of(k), "now": town.now, "reason": "申请", "planned_classes": 4, "staffed_classes": 4}
        ledger.propose(session, planned.id, **ask)
        difference = take_in("programmes", xlsx(PLAN, [["51010499001", "小班", 3]], title=None))
        assert [conflict.reason for conflict in difference.conflicts] == ["open_proposal"]
        assert ledger.open_proposal(session, planned.id) is not None

    def test_imp17_a_child_that_left_does_not_come_back_unasked(self, town, three, take_in, session):
        content = xlsx(CHILDREN, [["51010499001", "小一班", "本本", BEN, ""]])
        take_in("roll", content)
        child = session.scalars(select(RollChild)).one()
        child.left_on, child.leave_reason = dt.date(2026, 5, 1), "moved"
        session.flush()
        difference = take_in("roll", content)
        assert [conflict.reason for conflict in difference.conflicts] == ["has_left"]
        assert session.scalar(select(func.count(RollChild.id))) == 1
        assert take_in("roll", content, overwrite={str(child.id)}).counts["added"] == 1

    def test_imp17_a_correction_by_hand_is_asked_and_kept(self, town, three, take_in, session):
        content = xlsx(CHILDREN, [["51010499001", "小一班", "本本", BEN, ""]])
        take_in("roll", content)
        child = session.scalars(select(RollChild)).one()
        roll_corrections.correct(session, child.id_index, {"name": "李本"}, by=SYSTEM, now=town.now)
        difference = take_in("roll", content)
        assert [conflict.reason for conflict in difference.conflicts] == ["corrected_by_hand"]
        assert "本本" not in str(difference.as_plain())
        session.refresh(child)
        assert child.name == "李本"
        take_in("roll", content, overwrite=None)
        session.refresh(child)
        assert child.name == "本本"

    def test_imp17_an_older_list_moves_no_child_back_unasked(self, three, take_in, session):
        head = [*CHILDREN, "学年"]
        old = xlsx(head, [["51010499001", "小一班", "本本", BEN, "", 2024]])
        take_in("roll", xlsx(head, [["51010499001", "中一班", "本本", BEN, "", 2025]]))
        difference = take_in("roll", old)
        assert [conflict.reason for conflict in difference.conflicts] == ["promoted_since"]
        assert session.scalar(select(RollClass.name).join(RollChild, RollChild.class_id == RollClass.id)) == "中一班"
