"""Whom a message did not reach is called by a desk, or it is said here why the kind of message needs no call."""

import re

from enrollment.offers.desk_messages import LAST_MOMENT, TOLD_AT_DESK
from portal.text.words import table

OWN_ACT = "a guardian's own act; the others were told of the proposal, or can undo it while they can sign in"
NEWS = "nothing follows from it and no time runs: the inbox keeps it, and the desk sees it with the application"
OFFICER = "an officer has the case and speaks with the people named in it"
NO_APPLICATION = "it belongs to an account or a booking, not to an application: no desk has it on its list"
OFFICE = "it goes to an office, not to a family"

AT_THE_DESK = "whom no message reaches got the code at the desk itself, and the next letter lists its uses"

NOT_CALLED = {
    "access_code_issued": AT_THE_DESK,
    "access_code_used": AT_THE_DESK,
    "answer_confirm": OWN_ACT,
    "answer_confirm_and_wait": OWN_ACT,
    "answer_decline": OWN_ACT,
    "answer_take_back": OWN_ACT,
    "application_changed": OWN_ACT,
    "application_changed_by_helper": OWN_ACT,
    "application_submitted": OWN_ACT,
    "application_submitted_by_helper": OWN_ACT,
    "application_taken_over": OWN_ACT,
    "application_withdrawn": OWN_ACT,
    "applied_again": OWN_ACT,
    "bond_changed": OWN_ACT,
    "bond_changed_by_helper": OWN_ACT,
    "bond_separate": OWN_ACT,
    "consent_withdrawn": OWN_ACT,
    "correction_requested": OWN_ACT,
    "correction_withdrawn": OWN_ACT,
    "decision_taken_back": OWN_ACT,
    "guardian_joined": OWN_ACT,
    "invitation_declined": OWN_ACT,
    "mandate_ended": OWN_ACT,
    "mandate_given": OWN_ACT,
    "phone_changed": OWN_ACT,
    "request_withdrawn": OWN_ACT,
    "round_open_again": "the family withdrew the application itself; it need not do anything",
    "siblings_bound": OWN_ACT,
    "withdrawn_finally": OWN_ACT,
    "withdrawn_until": OWN_ACT,
    "correction_signed": NEWS,
    "decision_void": NEWS + "; what ended the decision has a message of its own",
    "document_accepted": NEWS,
    "marked_arrived": NEWS,
    "new_date_announcement": NEWS + "; the hour of a result is `new_hour`",
    "new_date_draw": NEWS,
    "new_date_result": NEWS + "; the hour of a result is `new_hour`",
    "new_date_review": NEWS + "; a return names its own time",
    "review_confirmed": NEWS,
    "unserved_explained": NEWS,
    "case_hold_imposed": OFFICER,
    "case_hold_lifted": OFFICER,
    "case_opened": OFFICER,
    "support_case_opened": OFFICER,
    "support_case_withdrawn": OFFICER,
    "case_rejected": OFFICER,
    "case_settled": OFFICER,
    "case_withdrawn": OFFICER,
    "decision_objected": OFFICER + "; `on_hold` is called",
    "dispute_ended": OFFICER,
    "dispute_opened": OFFICER,
    "guardian_left": OFFICER,
    "guardian_removal_requested": OFFICER,
    "guardian_removed": OFFICER,
    "withdraw_proposed_in_dispute": OFFICER + "; nothing takes effect before the dispute ends",
    "family_message": "the kindergarten that wrote it sees whom it did not reach, and prints their addresses",
    "invited": NO_APPLICATION,
    "mandate_by_code": NO_APPLICATION,
    "mandate_by_paper": NO_APPLICATION,
    "mandate_by_paper_without_phone": NO_APPLICATION,
    "open_day_booked": NO_APPLICATION,
    "open_day_cancelled": NO_APPLICATION,
    "open_day_changed": NO_APPLICATION,
    "sign_on_bound": NO_APPLICATION,
    "publication_refused": OFFICE,
}


def test_every_kind_of_message_is_called_or_says_why_not():
    kinds = set(table()["notice"])
    called = set(TOLD_AT_DESK)
    assert len(called) == len(TOLD_AT_DESK)
    assert not called & NOT_CALLED.keys()
    assert kinds == called | NOT_CALLED.keys()


def test_a_message_with_a_last_moment_is_news_to_nobody():
    """A date until which something can be done or is lost is never `NEWS`, except that a new date of an office's step is."""
    dated = re.compile(rf"\{{(?:{'|'.join(LAST_MOMENT)})\}}")
    for kind, reason in NOT_CALLED.items():
        if dated.search(table()["notice"][kind]["en"]) and not kind.startswith("new_date_"):
            assert not reason.startswith(NEWS), kind
