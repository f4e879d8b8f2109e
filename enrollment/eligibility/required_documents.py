"""The papers that a family is asked for: computed from the grounds that it claims, not one list for all (F10)."""

import functools
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import claim_rows, register_answers
from enrollment.applications.application_rows import WISHES, Application, Wish
from enrollment.applications.evidence_rows import pages_of
from enrollment.applications.returned_items import RETURNED_ITEMS
from enrollment.eligibility import papers_ahead, tiers
from enrollment.people import children
from enrollment.people.household_rows import household_of
from enrollment.people.person_rows import BIRTH_CERTIFICATE, RESIDENT
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season import policy_approval
from enrollment.season.document_kinds import PROVES, Document
from enrollment.season.facts import Ground
from enrollment.season.policy_rows import Policy
from enrollment.season.rules import Rules

Policies = Mapping[str, Policy]
"""The policy in force of each area of a year."""


@dataclass
class Needed:
    """A paper, the claimed grounds that require it (none: every family brings it), and its number of uploaded pages.

    `asked_back`: a clerk asked for this paper by name.  `by_register`: registers are asked, with the family's consent,
    about every claimed fact that the paper would prove, and none of them has contradicted the family so far.
    """

    document: Document
    grounds: list[Ground] = field(default_factory=list)
    pages: int = 0
    asked_back: bool = False
    by_register: bool = False

    @property
    def there(self) -> bool:
        """At least one page is uploaded."""
        return self.pages > 0

    @property
    def may_wait(self) -> bool:
        """The family need not bring the paper unless a clerk asks for it by name."""
        return self.by_register and not self.asked_back


def needed(session: Session, application: Application) -> list[Needed]:
    """Each required paper once, with the grounds that require it, and the papers that a clerk asked for by name."""
    listed = _listed(session, application)
    _note_registers(session, application, listed)
    return listed


def _listed(session: Session, application: Application, policies: Policies | None = None) -> list[Needed]:
    """The same without what registers answer."""
    claimed = claim_rows.of(session, application.id)
    in_force = functools.partial(policy_approval.policy_in_force, session, application.year)
    areas = areas_of(session, application)
    signed = [in_force(area) if policies is None else policies.get(area) for area in areas]
    rules = [policy_approval.rules_of(found) for found in signed if found is not None]
    asked = {document: Needed(document, grounds) for document, grounds in asked_for(rules, claimed).items()}
    if application.child.id_kind not in (RESIDENT, BIRTH_CERTIFICATE):
        # no register holds these documents, so that nobody can compare the number with anything but a copy
        asked.setdefault(Document.PASSPORT_OR_PERMIT, Needed(Document.PASSPORT_OR_PERMIT))
    if not children.has_parent(session, application.child_id):
        # a grandparent or another person acts for the child: no register says whether they may
        asked.setdefault(Document.GUARDIANSHIP_PROOF, Needed(Document.GUARDIANSHIP_PROOF))
    for item in _asked_back(session, application.id):
        asked.setdefault(item, Needed(item)).asked_back = True
    if not asked:
        return []
    pages = _pages(session, application.id)
    for document, paper in asked.items():
        paper.pages = pages.get(document.value, 0)
    return [asked[document] for document in Document if document in asked]


def _note_registers(session: Session, application: Application, papers: list[Needed]) -> None:
    """Say of each paper whether registers are asked instead."""
    if not papers:
        return
    claimed_facts = set(tiers.claimed_facts(session, application.id))
    of_registers = register_answers.keeping_silent_or_agreeing(session, application)
    for paper in papers:
        proved = claimed_facts.intersection(PROVES[paper.document])
        # no register holds a passport or a permit: what it says of the birth is said of a number that only a copy shows
        held = paper.document != Document.PASSPORT_OR_PERMIT
        paper.by_register = held and bool(proved) and proved <= of_registers


def asked_for(rules: Iterable[Rules], claimed: Iterable[Ground]) -> dict[Document, list[Ground]]:
    """The papers that at least one of these rules requires for these grounds, each with the grounds that require it."""
    grounds = list(claimed)
    asked: dict[Document, list[Ground]] = {}
    for each in rules:
        useful = [ground for ground in grounds if ground in each.grounds]
        for document in each.documents_for(useful):
            reasons = asked.setdefault(document, [])
            reasons += [
                g for g in useful if g in each.terms and document in each.terms[g].documents and g not in reasons
            ]
    return asked


def useful_grounds(session: Session, application: Application) -> list[Ground]:
    """The grounds that a family is asked about: those that count in one of its areas; all, if an area has no policy."""
    counting: set[Ground] = set()
    for area in areas_of(session, application):
        in_force = policy_approval.policy_in_force(session, application.year, area)
        if in_force is None:
            return list(claim_rows.ASKED)
        counting |= set(policy_approval.rules_of(in_force).grounds)
    return [ground for ground in claim_rows.ASKED if ground in counting or not counting]


def missing(session: Session, application: Application) -> list[Needed]:
    """The required papers that the family has not uploaded yet."""
    return _missing(session, application, None)


def missing_in_year(
    session: Session, applications: Sequence[Application], year: int
) -> list[tuple[Application, list[Needed]]]:
    """The same for many applications of a year, in statements whose number does not grow with theirs.

    Only for a session that changes nothing of these applications.
    """
    policies = policy_approval.policies_in_force(session, year)
    papers_ahead.read(session, applications)
    return [(each, _missing(session, each, policies)) for each in applications]


def _missing(session: Session, application: Application, policies: Policies | None) -> list[Needed]:
    absent = [paper for paper in _listed(session, application, policies) if not paper.there]
    _note_registers(session, application, absent)
    return [paper for paper in absent if not paper.may_wait]


def areas_of(session: Session, application: Application) -> list[str]:
    """The areas whose rules count: those of the wishes; before the first wish, those of the home and the registration."""
    known = WISHES.ahead(session, application.id)
    if known:
        return sorted({wish.programme.kindergarten.area_code for wish in known})
    wished = (
        select(Kindergarten.area_code)
        .join(Programme, Programme.kindergarten_id == Kindergarten.id)
        .join(Wish, Wish.programme_id == Programme.id)
        .where(Wish.application_id == application.id)
        .distinct()
    )
    found = sorted(session.scalars(wished)) if known is None else []
    if found:
        return found
    household = household_of(session, application.id)
    if household is None:
        return []
    said = {household.home_area, household.hukou_area}
    if household.home_outside:
        said |= {household.residence_permit_area, household.work_area}
    return sorted(area for area in said if area)


def _asked_back(session: Session, application_id: uuid.UUID) -> list[Document]:
    open_items = [each.item for each in RETURNED_ITEMS.of(session, application_id) if each.answered_at is None]
    known = {document.value for document in Document}
    return [Document(item) for item in open_items if item in known]


def _pages(session: Session, application_id: uuid.UUID) -> dict[str, int]:
    return {document: len(pages) for document, pages in pages_of(session, application_id).items()}
