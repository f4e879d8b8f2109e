"""What the page of one application shows, beside its form: tiers, the last return, papers, history."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _

from enrollment.applications import register_answers
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.claim_rows import VERIFIED_FACTS
from enrollment.applications.evidence_rows import EvidencePage, pages_of
from enrollment.applications.returned_items import REFUSALS, RefusalProposal
from enrollment.eligibility import asked_papers, evidence_pictures, required_documents, tiers
from enrollment.ground import audit
from enrollment.people.household_rows import household_of
from enrollment.review import answers_to_returns, case_file, case_tiers, leases, return_undo, support_cases
from enrollment.review.case_rows import Case
from enrollment.review.case_tiers import OwnWish
from enrollment.review.findings import proving_pages
from enrollment.review.leases import LEASE
from enrollment.review.notes import NOTES
from enrollment.review.plausibility import hints
from enrollment.review.queue import task_groups
from enrollment.review.roll_register import elder_on_roll
from enrollment.season.facts import Fact
from portal.staff.fact_forms import FactRow, chosen_values, fact_rows, form_for
from portal.staff.queue_lines import marked
from portal.text.facts import Names, names_for
from portal.text.policy_rules import priority, rule_words, way_words
from portal.text.round_names import round_name
from portal.web.forms import PageForm
from portal.web.unit_of_work import actor, clock, db


@dataclass(frozen=True)
class FactsForm:
    """The rows of the facts, the names that they refer to, and their form."""

    lines: list[FactRow]
    names: Names
    form: PageForm


def facts_form(application: Application) -> FactsForm:
    claimed = tiers.claimed_facts(db(), application.id)
    answers = register_answers.answers_of(db(), application.id)
    found = {row.fact: row for row in VERIFIED_FACTS.of(db(), application.id)}
    lines = fact_rows(claimed, answers, found, proving_pages(pages_of(db(), application.id)))
    values: list[tuple[str, Any]] = [(line.fact, value) for line in lines for value in (line.claimed, line.registered)]
    values += [(fact, row.value) for fact, row in found.items()]
    names = names_for(db(), values)
    return FactsForm(lines, names, form_for(lines, names))


@dataclass(frozen=True)
class TierCard:
    """The tier at one of the clerk's own kindergartens: now, its words, and the ladder of the rules."""

    kindergarten: str
    round: str
    tier: int
    number: str
    words: str
    ladder: tuple[tuple[int, str], ...]
    basis: str


def tier_cards(wishes: list[OwnWish], shown: FactsForm) -> list[TierCard]:
    """The tiers if the form were saved as it is."""
    facts = chosen_values(shown.form, shown.lines)
    return [_card(wish, facts) for wish in wishes]


def _card(wish: OwnWish, facts: Mapping[Fact, Any]) -> TierCard:
    tiered = wish.tier(facts)
    ladder = tuple((step.tier, way_words(step.grounds) if step.grounds else _("其他家庭")) for step in wish.ladder())
    words = dict(ladder).get(tiered.tier, "") if tiered.ground is None else rule_words(wish.rules, tiered.rule)
    return TierCard(
        wish.kindergarten.name,
        round_name(wish.round.name, wish.round.kind),
        tiered.tier,
        priority(tiered.tier),
        words,
        ladder,
        wish.basis,
    )


def leads_to(wishes: list[OwnWish], shown: FactsForm) -> dict[str, dict[str, str]]:
    """For each open fact and verdict the tier at the first own wish, in short: `→ 第 2`."""
    if not wishes:
        return {}
    first, facts = wishes[0], chosen_values(shown.form, shown.lines)
    found = {}
    for line in shown.lines:
        values = {"claimed": line.claimed, "paper": line.claimed, "register": line.registered, "declined": None}
        found[line.fact.value] = {
            verdict: _("→ 第 %(n)s", n=case_tiers.tier_with(first, facts, line.fact, value).tier + 1)
            for verdict, value in values.items()
        } | {"return": _("→ 等家长")}
    return found


def decisive(wishes: list[OwnWish], lines: list[FactRow]) -> set[str]:
    """The facts whose verdict can change a tier at one of the clerk's own kindergartens."""
    facts = {line.fact: line.claimed for line in lines}
    return {line.fact.value for line in lines if case_tiers.changes_tier(wishes, facts, line.fact, _values(line))}


def _values(line: FactRow) -> list[Any | None]:
    return [line.claimed, None, *([line.registered] if line.registered is not None else [])]


@dataclass(frozen=True)
class Sheet:
    """One picture of the viewer: a photo, a sheet of a PDF, or a PDF as a file while it has no pictures.

    `number` counts the page among those of its document, `part` the sheet within its PDF (None where there is only one).
    """

    page: EvidencePage
    number: int
    part: int | None
    address: str
    is_file: bool

    @property
    def name(self) -> str:
        """The page's id, for the first sheet of a PDF too: a fact names the page that proves it."""
        return str(self.page.id) if self.part in (None, 1) else f"{self.page.id}-{self.part}"

    @property
    def label(self) -> str:
        return str(self.number) if self.part is None else f"{self.number}·{self.part}"


@dataclass(frozen=True)
class Viewer:
    """The sheets in the order of their documents, the one that is shown, and the pages that came after the last return."""

    sheets: list[Sheet]
    numbers: dict[uuid.UUID, tuple[int, int]]
    shown: Sheet | None
    new: set[uuid.UUID]


def viewer(application: Application, lines: list[FactRow], since: Any) -> Viewer:
    """The page in `?page=` is shown, of a PDF the sheet in `?sheet=`; without it a page that proves the first fact to be
    judged, else the first."""
    listed = pages_of(db(), application.id)
    numbers = {page.id: (place, len(some)) for some in listed.values() for place, page in enumerate(some, 1)}
    pages = [page for some in listed.values() for page in some]
    evidence_pictures.ask_for_missing(db(), pages, now=clock())
    sheets = [sheet for page in pages for sheet in _sheets(page, numbers[page.id][0])]
    wanted = request.args.get("page", "") + (f"-{part}" if (part := request.args.get("sheet")) else "")
    first = next((str(page.id) for line in lines if not line.agrees for page in line.pages), None)
    by_name = {sheet.name: sheet for sheet in sheets}
    shown = by_name.get(wanted) or by_name.get(first or "") or next(iter(sheets), None)
    new = {page.id for page in pages if since is not None and page.uploaded_at > since}
    return Viewer(sheets, numbers, shown, new)


def _sheets(page: EvidencePage, number: int) -> list[Sheet]:
    ids: dict[str, Any] = {"application_id": page.application_id, "page_id": page.id}
    if page.media_type != evidence_pictures.PDF or not page.pictures:
        is_file = page.media_type == evidence_pictures.PDF
        return [Sheet(page, number, None, url_for("staff.paper", **ids), is_file)]
    parts = [None] if page.pictures == 1 else list(range(1, page.pictures + 1))
    return [Sheet(page, number, part, url_for("staff.paper_picture", **ids, number=part or 1), False) for part in parts]


def case_context(application: Application, shown: FactsForm, *, unmasked: bool = False) -> dict[str, Any]:
    """The values of the template.  The view of the record is audited."""
    audit.record(db(), "view", "application", application.id, by=actor(), now=clock(), reason="review")
    mine = application.stage == Stage.IN_REVIEW and application.reviewer_id == actor().account_id
    lines, wishes = shown.lines, case_tiers.own_wishes(db(), application, by=actor())
    returned = answers_to_returns.last_return(db(), application)
    decides = decisive(wishes, lines)
    to_judge = [line for line in lines if not line.agrees or (line.found is not None and line.chosen != "claimed")]
    refusals = sorted(REFUSALS.of(db(), application.id), key=lambda each: each.proposed_at)
    moves, notes = case_file.history_of(db(), application.id), NOTES.of(db(), application.id)
    found_hints = hints.hints_of(db(), application)
    given = [each for found in found_hints for each in (found.verdict, found.earlier) if each is not None]
    people = case_file.names_of(
        db(),
        [
            application.reviewer_id,
            *(each.account_id for each in moves),
            *(each.account_id for each in notes),
            *(each.account_id for each in given),
            *(each.account_id for each in VERIFIED_FACTS.of(db(), application.id)),
        ],
    )
    claimed_elder = next((line.claimed for line in lines if line.fact == Fact.SIBLING_AT), None)
    answers = register_answers.answers_of(db(), application.id)
    place = task_groups.neighbours(db(), application.id, by=actor(), now=clock())
    return {
        "hints": found_hints,
        "application": application,
        "child": application.child,
        "mine": mine,
        "me_id": actor().account_id,
        "marked_values": marked,
        "named": mine or unmasked,
        "unmasked": unmasked,
        "live": leases.is_live(application, clock()),
        "lease_minutes": _minutes_left(application),
        "holder": people.get(application.reviewer_id) if application.reviewer_id else None,
        "lost": None if mine else leases.taken_over(moves, people, by=actor()),
        "form": shown.form,
        "lines": lines,
        "names": shown.names,
        "decisive_lines": [line for line in to_judge if line.fact.value in decides],
        "other_lines": [line for line in to_judge if line.fact.value not in decides],
        "agreeing": [line for line in lines if line not in to_judge],
        "leads": leads_to(wishes, shown),
        "cards": tier_cards(wishes, shown),
        "asking": register_answers.being_asked(db(), application),
        "vaccination": answers.get(register_answers.VACCINATION),
        "household": household_of(db(), application.id),
        "guardians": case_file.guardians_of(db(), application.child),
        "viewer": viewer(application, to_judge, returned.asked_at if returned else None),
        "needed": required_documents.needed(db(), application),
        "refusal": refusals[-1] if refusals else None,
        "support": _support_case(application, refusals),
        "returned": returned,
        "waiting": return_undo.open_return(db(), application, now=clock()),
        "left_out": asked_papers.left_out(db(), application),
        "elder": elder_on_roll(db(), application.id, claimed_elder),
        "moves": moves,
        "notes": sorted(notes, key=lambda each: each.at),
        "people": people,
        "group": place[0] if place else None,
        "place": place[1] if place else None,
    }


def _support_case(application: Application, refusals: Sequence[RefusalProposal]) -> Case | None:
    """The case of Article 17 that decides before the second person may; nearly every file has none, and asks for none."""
    return support_cases.of_application(db(), application.id) if refusals else None


def _minutes_left(application: Application) -> int:
    until = application.lease_until
    if until is None:
        return 0
    return max(0, min(int((until - clock()).total_seconds() // 60), int(LEASE.total_seconds() // 60)))
