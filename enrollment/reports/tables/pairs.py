"""The report of pairs that may be one child: by which rules, with how many points, and what was decided.

Points add what two applications have in common, so that who has an hour begins with the likeliest pairs.  They decide
nothing, and a pair that was judged never opens again because of them.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from enrollment.applications.application_rows import Application
from enrollment.ground.accounts import Account
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.people.household_rows import HomeLikeness
from enrollment.people.person_rows import ChildLikeness, Guardianship
from enrollment.places.kindergartens import Kindergarten
from enrollment.reports.tables.report import Column, Kind, Question, Report, Row, Width

POINTS: Mapping[str, int] = MappingProxyType(
    {"document": 10, "name": 8, "sound": 6, "letters": 6, "month": 5, "guardian": 3, "dwelling": 3}
)
"""By the code of a rule (`report_pair_rule`).  One rule about the name counts, the strongest that holds, because a same name is also
a same sound; a common guardian and a common dwelling come on top."""


def _pairs(question: Question) -> list[Row]:
    """The pairs of which a live child is reviewed here; the other one is named by its code and kindergarten alone."""
    one, other, judge = aliased(Application), aliased(Application), aliased(Account)
    mine = exists().where(
        Application.year == question.year,
        or_(Application.child_id == DuplicateHint.child_a, Application.child_id == DuplicateHint.child_b),
        Kindergarten.id == Application.review_kindergarten_id,
        question.here(),
    )
    there = aliased(Kindergarten), aliased(Kindergarten)
    like = aliased(ChildLikeness), aliased(ChildLikeness)
    home = aliased(HomeLikeness), aliased(HomeLikeness)
    found = (
        select(
            DuplicateHint, _rule(*like), _common_guardian(), home[0].dwelling_index == home[1].dwelling_index,
            one.registration_code, there[0].name, other.registration_code, there[1].name, judge.name,
        )
        .outerjoin(one, (one.child_id == DuplicateHint.child_a) & (one.year == question.year))
        .outerjoin(other, (other.child_id == DuplicateHint.child_b) & (other.year == question.year))
        .outerjoin(there[0], there[0].id == one.review_kindergarten_id)
        .outerjoin(there[1], there[1].id == other.review_kindergarten_id)
        .outerjoin(home[0], home[0].application_id == one.id)
        .outerjoin(home[1], home[1].application_id == other.id)
        .outerjoin(like[0], like[0].child_id == DuplicateHint.child_a)
        .outerjoin(like[1], like[1].child_id == DuplicateHint.child_b)
        .outerjoin(judge, judge.id == func.coalesce(DuplicateHint.decided_by, DuplicateHint.first_by))
        .where(mine)
        .order_by(DuplicateHint.found_at, DuplicateHint.id)
    )  # fmt: skip
    rows: list[Row] = []
    for hint, rule, guardian, dwelling, first, garden, second, second_garden, name in question.session.execute(found):
        rules = (rule, *(["guardian"] if guardian else []), *(["dwelling"] if dwelling else []))
        state = "decided" if hint.decided_at else "second" if hint.verdict else "open"
        rows.append(
            (
                first, garden, second, second_garden, rules, sum(POINTS[each] for each in rules), hint.found_at,
                hint.verdict or "open", state, name, hint.decided_at or hint.first_at,
            )
        )  # fmt: skip
    return sorted(rows, key=lambda row: (row[STATE] == "decided", -row[SCORE]))


SCORE, STATE = 5, 8
"""The places of the points and of the state in a row."""


def _rule(one: type[ChildLikeness], other: type[ChildLikeness]) -> ColumnElement[str]:
    """What the two have in common besides sex and birth, by the data as they are now."""
    return case(
        (one.name_index == other.name_index, "name"),
        (one.sound_index == other.sound_index, "sound"),
        (one.letters_index == other.letters_index, "letters"),
        (one.month_index == other.month_index, "month"),
        else_="document",
    )


def _common_guardian() -> ColumnElement[bool]:
    mine, theirs = aliased(Guardianship), aliased(Guardianship)
    return exists().where(
        and_(
            mine.guardian_id == theirs.guardian_id,
            mine.child_id == DuplicateHint.child_a,
            theirs.child_id == DuplicateHint.child_b,
        )
    )


PAIRS = Report(
    "pairs",
    (
        Column("code"), Column("kindergarten"), Column("other_code"), Column("other_kindergarten"),
        Column("pair_rule", Kind.CODE, "report_pair_rule"), Column("points", Kind.NUMBER), Column("found_at", Kind.MOMENT),
        Column("verdict", Kind.CODE, "report_pair_verdict"),
        Column("state", Kind.CODE, "report_pair_state"), Column("checker"), Column("answered_at", Kind.MOMENT),
    ),
    _pairs,
    widest=Width.AREA,
)  # fmt: skip
