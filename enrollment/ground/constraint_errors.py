"""The error code and the form field that a violated database constraint stands for.

A service checks its rules first, so a person meets a constraint only when two requests pass the same check at the same
time.  This is the one place that knows the names of constraints.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import IntegrityError as PgIntegrityError
from sqlalchemy.exc import IntegrityError

from enrollment.ground.errors import Refused


@dataclass(frozen=True)
class ConstraintError:
    """`code` is a code of the word group `error` whose words need no parameters; `field` is the form field to correct."""

    code: str
    field: str | None = None


CHANGED_ELSEWHERE = ConstraintError("changed_elsewhere")

CONSTRAINT_ERRORS: Mapping[str, ConstraintError] = {
    # people
    "uq_child__id_index": ConstraintError("child_already_entered", "id_number"),
    "uq_child_document__person_index": ConstraintError("child_already_entered", "id_number"),
    "uq_child_document__one_current": CHANGED_ELSEWHERE,
    "ck_duplicate_hint__second_person": ConstraintError("second_person_needed"),
    "uq_duplicate_waiver__round_id_digest": CHANGED_ELSEWHERE,
    "uq_guardian__id_index": ConstraintError("guardian_known_elsewhere", "id_number"),
    "uq_guardian__account_id": CHANGED_ELSEWHERE,
    "pk_guardianship": CHANGED_ELSEWHERE,
    "uq_consent__one_live": CHANGED_ELSEWHERE,
    "uq_invitation__one_open": CHANGED_ELSEWHERE,
    "uq_mandate__one_live": CHANGED_ELSEWHERE,
    # applications and their review
    "uq_application__one_live": CHANGED_ELSEWHERE,
    "pk_application_version": CHANGED_ELSEWHERE,
    "pk_household": CHANGED_ELSEWHERE,
    "pk_claim": CHANGED_ELSEWHERE,
    "pk_wish": CHANGED_ELSEWHERE,
    "uq_wish__application_id_round_id_programme_id": ConstraintError("wish_twice", "wishes"),
    "uq_refusal_proposal__one_open": ConstraintError("refusal_is_proposed"),
    "ck_report_export__second_person": ConstraintError("second_person_needed"),
    "ck_refusal_proposal__support_case": ConstraintError("support_case_undecided"),
    "ck_refusal_proposal__second_person": ConstraintError("second_person_needed"),
    "ck_verified_fact__paper_has_a_page": ConstraintError("page_proves_nothing"),
    "ck_verified_fact__page_proves_it": ConstraintError("page_proves_nothing"),
    "ck_verified_fact__against_a_register": ConstraintError("page_or_second_person"),
    "ck_verified_fact__second_has_a_reason": ConstraintError("page_or_second_person"),
    "ck_verified_fact__second_person": ConstraintError("second_person_needed"),
    "ck_application__second_person": ConstraintError("waits_for_second"),
    "ck_verified_fact__declined_has_a_reason": ConstraintError("declined_without_reason"),
    "uq_correction_request__one_open": ConstraintError("correction_is_open"),
    # places and the roll
    "uq_kindergarten__code": CHANGED_ELSEWHERE,
    "uq_programme__kindergarten_id_level_year": CHANGED_ELSEWHERE,
    "ck_programme__never_more_than_places": ConstraintError("no_place_left"),
    "ck_programme__no_negative_numbers": ConstraintError("number_negative"),
    "uq_plan_proposal__one_open": CHANGED_ELSEWHERE,
    "uq_pool__programme_id_code": ConstraintError("pool_code_twice", "pools"),
    "uq_roll_class__kindergarten_id_school_year_name": ConstraintError("changed_elsewhere", "class_name"),
    "uq_roll_class__one_of_a_name": ConstraintError("class_name_taken", "class_name"),
    "ck_roll_class__not_negative": ConstraintError("number_negative", "children"),
    "uq_roll_child__on_roll_once": ConstraintError("on_roll_already", "id_number"),
    "ex_roll_child__one_roll_a_day": ConstraintError("on_roll_already", "id_number"),
    "ck_roll_count__not_negative": ConstraintError("number_negative", "children"),
    "uq_roll_count__one_open": CHANGED_ELSEWHERE,
    "ck_roll_count__decided_by_another": ConstraintError("second_person_needed"),
    "uq_roll_transfer__one_open": ConstraintError("transfer_is_open"),
    "uq_roll_promotion__once": ConstraintError("promoted_before"),
    "uq_class_loss__one_open": CHANGED_ELSEWHERE,
    "ck_class_loss__second_person": ConstraintError("second_person_needed"),
    # open days
    "ck_open_day_slot__never_more_than_places": ConstraintError("open_day_full", "slot"),
    "ck_open_day_slot__ends_later": ConstraintError("open_day_slot_ends", "slots"),
    "uq_open_day_visit__one_of_a_child": CHANGED_ELSEWHERE,
    # season, draw and offers
    "pk_season": CHANGED_ELSEWHERE,
    "uq_policy__area_code_year_version": CHANGED_ELSEWHERE,
    "uq_policy__one_in_force": CHANGED_ELSEWHERE,
    "uq_round__year_number": CHANGED_ELSEWHERE,
    "ck_round__dates_in_order": ConstraintError("dates_out_of_order", "closes_at"),
    "ck_round__some_wishes": ConstraintError("some_wishes", "max_wishes"),
    "uq_snapshot__round_id_number": CHANGED_ELSEWHERE,
    "uq_declared_draw_form__round_id_number": CHANGED_ELSEWHERE,
    "uq_witness_session__one_browser": ConstraintError("witness_same_browser"),
    "ck_witness_session__second_person": ConstraintError("second_person_needed"),
    "uq_run__round_id_number": CHANGED_ELSEWHERE,
    "uq_run__one_published": CHANGED_ELSEWHERE,
    "uq_signature__subject_subject_id_digest_account_id_counted_with": ConstraintError("signed_already"),
    "uq_target_decision__one_proposal": ConstraintError("target_is_proposed", "scope"),
    "ck_target_decision__second_person": ConstraintError("second_person_needed"),
    "uq_offer__one_live": ConstraintError("child_has_an_offer"),
}


def constraint_name(fault: IntegrityError | PgIntegrityError) -> str | None:
    """The name of the violated constraint or unique index; None where a trigger refused the statement."""
    diagnostics = getattr(fault.orig if isinstance(fault, IntegrityError) else fault, "diag", None)
    return diagnostics.constraint_name if diagnostics is not None else None


def refusal_of(fault: IntegrityError | PgIntegrityError) -> Refused | None:
    """The refusal that the violated constraint stands for; None where the fault is an error of the program."""
    error = CONSTRAINT_ERRORS.get(constraint_name(fault) or "")
    return Refused(error.code, error.field) if error is not None else None
