"""What looks hardly plausible in an application.  A hint says where to look; it changes no tier and stops nobody.

The family never sees a hint, and a hint about another family names it by its code alone.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from enrollment.applications import elder_siblings
from enrollment.applications.application_rows import WISHES, Application
from enrollment.applications.elder_siblings import ElderSibling
from enrollment.applications.evidence_rows import EvidencePage, pages_of
from enrollment.applications.lifecycle import HANDED_IN
from enrollment.eligibility.page_likeness import COMMON_PARTS
from enrollment.ground import city_time
from enrollment.ground.identity import birth_date_in
from enrollment.ground.vault import blind_index
from enrollment.people.household_rows import HomeLikeness, Household, household_of
from enrollment.people.person_rows import CARERS, PARENTS, RESIDENT, Guardian, Guardianship
from enrollment.places.areas import all_areas
from enrollment.review.plausibility.rows import PAIRS, Hint, HintVerdict, PlausibilityVerdict
from enrollment.season.document_kinds import Document
from enrollment.season.kept_years import round_of

NINE_MONTHS = dt.timedelta(days=266)
YOUNGEST_PARENT = 16
DEEDS = (Document.PROPERTY_CERTIFICATE, Document.PURCHASE_CONTRACT)
MOST_PAIRS = 8
"""Other applications that are named for one hint; a collective flat or a helper's office would fill the page."""


@dataclass(frozen=True)
class Other:
    """The other application of a pair."""

    id: uuid.UUID
    code: str
    kindergarten_id: uuid.UUID | None


@dataclass(frozen=True)
class Found:
    """A hint: the values it rests on as they stand now, its basis, and its verdict if somebody gave one.

    `earlier`: a verdict was given about other values, which have changed since.
    """

    hint: Hint
    values: tuple[str, ...]
    basis: bytes
    other: Other | None = None
    verdict: PlausibilityVerdict | None = None
    earlier: PlausibilityVerdict | None = None

    @property
    def is_open(self) -> bool:
        return self.verdict is None

    @property
    def is_doubtful(self) -> bool:
        return self.verdict is not None and self.verdict.verdict == HintVerdict.DOUBTFUL

    @property
    def key(self) -> str:
        """Names the hint in a form, with the values that the clerk saw."""
        return self.basis.hex()


def hints_of(session: Session, application: Application) -> list[Found]:
    """The hints about an application with their verdicts, the open ones first."""
    found = [*_own(session, application), *_pairs(session, application)]
    if not found:
        return []
    given = select(PlausibilityVerdict).where(
        or_(
            PlausibilityVerdict.basis.in_([each.basis for each in found]),
            PlausibilityVerdict.application_id == application.id,
        )
    )
    verdicts = session.scalars(given.order_by(PlausibilityVerdict.at, PlausibilityVerdict.id)).all()
    newest = {each.basis: each for each in verdicts}
    earlier = {each.hint: each for each in verdicts if each.hint not in PAIRS}
    judged = [
        replace(each, verdict=newest.get(each.basis), earlier=None if each.basis in newest else earlier.get(each.hint))
        for each in found
    ]
    return sorted(judged, key=lambda each: not each.is_open)


def _found(application: Application, hint: Hint, *values: object) -> Found:
    told = tuple(str(each) for each in values)
    return Found(hint, told, blind_index("|".join((hint, str(application.id), *told)), "plausibility"))


def _own(session: Session, application: Application) -> Iterator[Found]:
    """The hints that rest on what this family says and sends."""
    yield from _about_people(session, application)
    household = household_of(session, application.id)
    if household is not None:
        yield from _about_home(session, application, household)


def _about_people(session: Session, application: Application) -> Iterator[Found]:
    child = application.child
    elder = elder_siblings.of(session, application.id)
    elder_born = None if elder is None else _born(elder)
    if elder_born is not None and elder_born != child.born and abs(child.born - elder_born) < NINE_MONTHS:
        yield _found(application, Hint.SIBLING_TOO_CLOSE, elder_born, child.born)
    for relation, born in _parents_born(session, child.id):
        if _years_between(born, child.born) < YOUNGEST_PARENT:
            yield _found(application, Hint.PARENT_TOO_YOUNG, relation, born.year, child.born.year)


def _born(elder: ElderSibling) -> dt.date | None:
    if elder.born is not None:
        return dt.date.fromisoformat(elder.born)
    return _date_in(elder.id_number)


def _date_in(number: str | None) -> dt.date | None:
    try:
        return birth_date_in(number) if number is not None and len(number) == 18 else None
    except ValueError:
        return None


def _parents_born(session: Session, child_id: uuid.UUID) -> list[tuple[str, dt.date]]:
    """The birth dates in the resident numbers of the child's parents."""
    relation_of = {each.guardian_id: each.relation for each in CARERS.of(session, child_id) if each.relation in PARENTS}
    numbers = select(Guardian.id, Guardian.id_number).where(Guardian.id.in_(relation_of), Guardian.id_kind == RESIDENT)
    dated = [(relation_of[row.id], _date_in(row.id_number)) for row in session.execute(numbers)]
    return sorted((relation, born) for relation, born in dated if born is not None)


def _years_between(earlier: dt.date, later: dt.date) -> int:
    return later.year - earlier.year - ((later.month, later.day) < (earlier.month, earlier.day))


def _about_home(session: Session, application: Application, household: Household) -> Iterator[Found]:
    opened = [round_of(session, wish.round_id).opens_at for wish in WISHES.of(session, application.id)]
    since = household.hukou_since
    if since is not None and opened and since > (first := city_time.today(min(opened))):
        yield _found(application, Hint.HUKOU_SINCE_OPENING, since, first)
    names = {area.code: area.name for area in all_areas(session)}
    here, written = names.get(household.home_area or ""), household.home_address or ""
    named = [name for name in names.values() if name in written]
    if here is not None and named and here not in named:
        yield _found(application, Hint.HOME_OTHER_AREA, here, named[0])
    permit = household.residence_permit_area
    if permit is not None and household.home_area is not None and permit != household.home_area:
        yield _found(application, Hint.PERMIT_ELSEWHERE, names[permit], names[household.home_area])
    papers = pages_of(session, application.id)
    deed = any(document in papers for document in DEEDS)
    if household.home_owned and Document.RENTAL_RECORD in papers and not deed:
        yield _found(application, Hint.OWNED_WITH_LEASE)
    if household.home_owned is False and deed:
        yield _found(application, Hint.RENTED_WITH_DEED)


def _alike(mine: Any, theirs: Any) -> ColumnElement[bool]:
    """SQL condition: two pictures share enough parts.  The first half is found by the index."""
    common = select(func.count()).select_from(
        select(func.unnest(mine)).intersect(select(func.unnest(theirs))).subquery()
    )
    return and_(theirs.overlap(mine), common.scalar_subquery() >= COMMON_PARTS)


def _pairs(session: Session, application: Application) -> list[Found]:
    """Applications of the same season without a common guardian that state the same dwelling, or sent the same
    file or a copy of it that was saved anew."""
    home, same_home = aliased(HomeLikeness), aliased(HomeLikeness)
    page, same_page = aliased(EvidencePage), aliased(EvidencePage)
    homes = (
        select(literal(Hint.SHARED_HOME.value).label("hint"), same_home.application_id.label("other"))
        .select_from(home)
        .join(
            same_home,
            and_(same_home.dwelling_index == home.dwelling_index, same_home.application_id != home.application_id),
        )
        .where(home.application_id == application.id)
    )
    files = (
        select(literal(Hint.SHARED_FILE.value).label("hint"), same_page.application_id.label("other"))
        .select_from(page)
        .join(
            same_page,
            and_(
                or_(same_page.original_digest == page.original_digest, _alike(page.likeness, same_page.likeness)),
                same_page.application_id != page.application_id,
            ),
        )
        .where(page.application_id == application.id, page.removed_at.is_(None), same_page.removed_at.is_(None))
        .distinct()
    )
    alike = union_all(homes, files).subquery()
    mine, theirs = aliased(Guardianship), aliased(Guardianship)
    one_family = (
        select(mine.child_id)
        .join(theirs, theirs.guardian_id == mine.guardian_id)
        .where(mine.child_id == application.child_id, theirs.child_id == Application.child_id)
        .exists()
    )
    others = (
        select(alike.c.hint, Application.id, Application.registration_code, Application.review_kindergarten_id)
        .join(Application, Application.id == alike.c.other)
        .where(
            Application.year == application.year,
            Application.stage.in_(HANDED_IN),
            Application.child_id != application.child_id,
            ~one_family,
        )
        .order_by(alike.c.hint.desc(), Application.registration_code)
        .limit(MOST_PAIRS)
    )
    return [
        Found(
            Hint(row.hint),
            (row.registration_code,),
            blind_index("|".join((row.hint, *sorted((str(application.id), str(row.id))))), "plausibility"),
            Other(row.id, row.registration_code, row.review_kindergarten_id),
        )
        for row in session.execute(others)
    ]
