"""Every code that a page can show, and every text of a page, exists in Chinese and English."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast
from jinja2.nodes import TemplateData

from allocation.checks.central import CENTRAL_CHECKS
from allocation.draw_form import FormFaultCode, NumberOrder
from enrollment.applications import applications, register_answers, returned_items
from enrollment.applications.bonds.bond_rules import EFFECTS, BondEffect, BondEvent
from enrollment.applications.lifecycle import MOVES
from enrollment.corrections import request_list
from enrollment.corrections.correction_lifecycle import CORRECTION_MOVES
from enrollment.delivery.code_status import TROUBLE, CodeStatus
from enrollment.delivery.lanes import Lane
from enrollment.draw import draw_jobs, execution, runs, snapshot
from enrollment.draw.comparison.last_year import RulePart
from enrollment.draw.publication import opening, preparation
from enrollment.draw.seed import seeding
from enrollment.draw.seed.part_standings import PartState
from enrollment.draw.seed.witness_rows import SeedPart, WitnessOffice
from enrollment.draw.seed.witness_sessions import SessionState
from enrollment.draw.unserved.entries import BoardState
from enrollment.draw.unserved.rows import AcceptedNature, DeclineReason, Explanation
from enrollment.eligibility import possible_slips
from enrollment.ground.accounts import ROLES
from enrollment.ground.audit_chain.verification import FindingKind
from enrollment.ground.operations.alarms import AlarmCode
from enrollment.ground.outbox import DeliveryError, MessageState
from enrollment.offers import desk_messages, offers, withdrawals
from enrollment.offers.joint_decision_rows import DecisionKind, DecisionState
from enrollment.offers.offer_lifecycle import OFFER_MOVES
from enrollment.people import person_rows
from enrollment.places import areas, pools, service_areas
from enrollment.reports import case_desk
from enrollment.reports.season_desk.readiness import TALLIED, Check
from enrollment.results.hall import Scene
from enrollment.results.run_comparison import Compared
from enrollment.review import correction_rows
from enrollment.review.case_rows import SupportDecision
from enrollment.review.queue import task_groups
from enrollment.review.queue.bulk_rows import BulkOutcome
from enrollment.review.support_cases import ProposalEnd
from enrollment.season import calendar, rounds
from enrollment.season.facts import Fact, Ground
from portal.text.catalogues import TRANSLATIONS
from portal.text.words import LANGUAGES, table

ROOT = Path(__file__).parents[2]
TELLING = ("tell", "notify_guardians", "notify_guardians_each", "notify_guardians_together", "notify_guardians_of")
CODES = {
    "pool_unclaimed": pools.UNCLAIMED,
    "pool_left": pools.UNCLAIMED,
    "role": ROLES,
    "audit_finding": tuple(FindingKind),
    "alarm": tuple(AlarmCode),
    "nature": areas.NATURES,
    "level": areas.LEVELS,
    "service_area_kind": service_areas.KINDS,
    "season_step": calendar.STEPS,
    "hall_scene": tuple(Scene),
    "season_check": tuple(Check),
    "season_check_done": tuple(Check),
    "season_check_early": tuple(TALLIED),
    "hall_compared": tuple(Compared),
    "rule_part": tuple(RulePart),
    "round_kind": rounds.KINDS,
    "round_stage": rounds.STAGES,
    "pair_rule": rounds.PAIR_RULES,
    "ground": tuple(Ground),
    "fact": tuple(Fact),
    "bond_rule": tuple(BondEvent),
    "notice": (
        *(f"bond_{event}" for event, effect in EFFECTS.items() if effect == BondEffect.LEAVES),
        "bond_changed",
        "bond_changed_by_helper",
    ),
    "desk_message": (
        *(kind for kind in desk_messages.TOLD_AT_DESK if kind != "result_published"),
        "result_placed",
        "result_without_place",
    ),
    "stage": applications.STAGES,
    "move": tuple(MOVES),
    "id_kind": person_rows.ID_KINDS,
    "relation": person_rows.RELATIONS,
    "case_kind": case_desk.KINDS,
    "case_clock": tuple(case_desk.Clock),
    "case_state": ("open", "held", *correction_rows.UNDECIDED),
    "board_state": tuple(BoardState),
    "unserved_explanation": tuple(Explanation),
    "decline_reason": tuple(DeclineReason),
    "accepted_nature": tuple(AcceptedNature),
    "correction_kind": correction_rows.KINDS,
    "slip": tuple(possible_slips.Slip),
    "correction_state": correction_rows.STATES,
    "correction_move": tuple(CORRECTION_MOVES),
    "correction_filter": request_list.FILTERS,
    "decision_kind": tuple(DecisionKind),
    "decision_state": tuple(DecisionState),
    "objection": tuple(DecisionKind),
    "withdrawal_effect": tuple(withdrawals.Effect),
    "bulk_outcome": tuple(BulkOutcome),
    "support_decision": tuple(SupportDecision),
    "support_proposal_end": tuple(ProposalEnd),
    "return_phrase": tuple(returned_items.ReturnPhrase),
    "queue_group": task_groups.GROUPS,
    "queue_group_meaning": task_groups.GROUPS,
    "register": register_answers.REGISTERS,
    "refusal_rule": returned_items.REFUSAL_RULES,
    "run_state": runs.STATES,
    "central_check": CENTRAL_CHECKS,
    "publication_refused_because": (
        "answers_changed",
        "places_changed",
        "snapshot_outdated",
        "snapshot_was_replaced",
    ),
    "run_step": (*execution.STEPS, *snapshot.STEPS, *seeding.STEPS, *preparation.STEPS, *opening.STEPS),
    "seed_part": tuple(SeedPart),
    "part_state": tuple(PartState),
    "witness_office": tuple(WitnessOffice),
    "witness_state": tuple(SessionState),
    "form_fault": tuple(FormFaultCode),
    "number_order": tuple(NumberOrder),
    "draw_work": draw_jobs.KINDS,
    "draw_broke_off": draw_jobs.KINDS,
    "draw_failed": draw_jobs.KINDS,
    "draw_next": draw_jobs.KINDS,
    "offer_state": offers.STATES,
    "offer_move": tuple(OFFER_MOVES),
    "message_state": tuple(MessageState),
    "message_lane": tuple(Lane),
    "delivery_error": tuple(DeliveryError),
    "code_status": tuple(CodeStatus),
    "code_trouble": TROUBLE,
    "reason": (
        "no_places",
        "not_eligible",
        "closed_by_unit",
        "tier_below_cutoff",
        "ticket_after_cutoff",
        "placed_higher",
    ),
}


@pytest.mark.parametrize("group", CODES)
def test_every_code_has_a_text(group):
    missing = [code for code in CODES[group] if str(code) not in table().get(group, {})]
    assert not missing, f"[{group}] {missing}"


def test_every_text_exists_in_both_languages_with_the_same_parameters():
    for group, codes in table().items():
        for code, words in codes.items():
            assert set(words) == set(LANGUAGES), f"[{group}] {code}"
            assert all(words.values()), f"[{group}] {code}"
            parameters = [set(re.findall(r"\{(\w+)", words[language])) for language in LANGUAGES]
            assert parameters[0] == parameters[1], f"[{group}] {code}"


def python_files():
    return [file for package in ("enrollment", "portal") for file in (ROOT / package).rglob("*.py")]


def modules_with(*names: str) -> Iterator[tuple[Path, ast.Module]]:
    """The modules whose text has one of these names: what calls something, or gives an argument, has its name in its text."""
    for file in python_files():
        source = file.read_text("utf-8")
        if any(name in source for name in names):
            yield file, ast.parse(source)


def test_every_refusal_has_a_text():
    """Reads the first argument of every `Refused(...)` in the code."""
    missing = set()
    for file, tree in modules_with("Refused", "Stale"):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) in ("Refused", "Stale")
                and node.args
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant) and first.value not in table()["error"]:
                    missing.add((file.name, first.value))
    assert not missing


def test_every_notice_has_a_text():
    missing = set()
    for file, tree in modules_with(*TELLING):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "attr", getattr(node.func, "id", "")) in TELLING
                and len(node.args) > 1
            ):
                kind = node.args[1]
                if isinstance(kind, ast.Constant) and kind.value not in table().get("notice", {}):
                    missing.add((file.name, kind.value))
    assert not missing


def translated() -> dict[str, str]:
    """The translations of all catalogues together."""
    known: dict[str, str] = {}
    for file in sorted(TRANSLATIONS.glob("en/LC_MESSAGES/*.po")):
        with file.open("rb") as text:
            for message in read_po(text, locale="en"):
                if message.id:
                    one = message.id if isinstance(message.id, str) else message.id[0]
                    english = message.string if isinstance(message.string, str) else message.string[0]
                    if english and not message.fuzzy:
                        known[one] = english
    return known


CHINESE = re.compile(r"[\u4e00-\u9fff]")
CALLS = {"_", "_l", "gettext", "ngettext", "lazy_gettext", "pgettext"}


def python_texts():
    for file in (ROOT / "portal").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            named = isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS and node.args
            if named and isinstance(node.args[0], ast.Constant):
                yield file.name, node.args[0].value


def template_texts():
    environment = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
    for file in (ROOT / "templates").rglob("*.html"):
        tree = environment.parse(file.read_text("utf-8"))
        for _line, _function, texts in extract_from_ast(tree, ("_", "gettext", "ngettext")):
            for text in texts if isinstance(texts, tuple) else (texts,):
                if isinstance(text, str):
                    yield str(file.relative_to(ROOT)), text


def test_every_text_of_a_page_has_an_english_translation():
    known = translated()
    missing = {
        (where, text)
        for where, text in [*python_texts(), *template_texts()]
        if CHINESE.search(text) and text not in known
    }
    assert not missing, "\n".join(f"{where}: {text}" for where, text in sorted(missing))


BOTH_LANGUAGES = {"templates/public/away.html"}
"""Pages that are drawn without a request, and so say everything twice."""


def test_no_template_contains_chinese_outside_a_translation():
    """Such text would stay Chinese on the English page."""
    environment = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
    found = set()
    for file in (ROOT / "templates").rglob("*.html"):
        for data in environment.parse(file.read_text("utf-8")).find_all(TemplateData):
            for line in data.data.splitlines():
                if (
                    CHINESE.search(line)
                    and 'lang="zh-CN"' not in line
                    and "letters" not in file.relative_to(ROOT).parts
                ):
                    found.add((str(file.relative_to(ROOT)), line.strip()))
    assert {page for page, _line in found} == BOTH_LANGUAGES, sorted(found)
