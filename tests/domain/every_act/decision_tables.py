"""What each act of each person does to an offer and an application in each state, in time and late, and who is told.

`tests.domain.every_act.at_once` derives from them what two acts in the same second do; `tests.domain.every_act.page` writes
both to `docs/decisions.md`.

An outcome is the new state, `waits` (a joint decision), `unchanged`, or the code of the refusal.
"""

import functools

from enrollment.offers.offer_rows import STATES

DECLINE_WAITS, WITHDRAWAL_WAITS = "decline waits", "withdrawal waits"
"""An offered place that the mother wants to give up; one whose application she wants to withdraw."""

WITHDRAWAL_WAITS_WITHOUT_PLACE = "withdrawal waits without place"
"""The same of a child that has no place any more."""

WITHDRAWN, HELD = "withdrawn", "on hold"
"""An offer whose application is withdrawn; a confirmed one about whose child a dispute is open."""

OFFER_STATES = (*STATES, DECLINE_WAITS, WITHDRAWAL_WAITS, WITHDRAWAL_WAITS_WITHOUT_PLACE, WITHDRAWN, HELD)
OFFER_ACTS = ("confirm", "wait", "decline", "withdraw", "consent", "agree", "object", "take_back", "have_back")
APPLICATION_ACTS = ("submit", "edit", "wish", "withdraw", "apply_again", "consent")
ALONE_ACTS = ("decline", "withdraw", "consent")
OTHERS = ("helper", "clerk", "official", "clock", "stranger")

OF_OFFERS = """
offered | confirm | in time |  | offer confirmed | answer_confirm
offered | confirm | late |  | refused: answer_too_late |
offered | wait | in time |  | offer confirmed_waiting | answer_confirm_and_wait
offered | wait | late |  | refused: answer_too_late |
offered | decline |  |  | decline waits | decline_proposed
offered | withdraw |  |  | withdraw waits | withdraw_proposed
offered | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
offered | have_back |  |  | refused: offer_is_over |
confirmed | confirm | in time |  | unchanged |
confirmed | confirm | late |  | refused: answer_too_late |
confirmed | wait | in time |  | offer confirmed_waiting | answer_confirm_and_wait
confirmed | wait | late |  | refused: answer_too_late |
confirmed | decline |  |  | decline waits | decline_proposed
confirmed | withdraw |  |  | withdraw waits | withdraw_proposed
confirmed | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
confirmed | have_back |  |  | refused: offer_is_over |
confirmed_waiting | confirm |  |  | offer confirmed | answer_confirm
confirmed_waiting | wait | in time |  | unchanged |
confirmed_waiting | wait | late |  | refused: answer_too_late |
confirmed_waiting | decline |  |  | decline waits | decline_proposed
confirmed_waiting | withdraw |  |  | withdraw waits | withdraw_proposed
confirmed_waiting | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
confirmed_waiting | have_back |  |  | refused: offer_is_over |
arrived | confirm |  |  | refused: offer_is_over |
arrived | wait |  |  | refused: offer_is_over |
arrived | decline |  |  | refused: offer_is_over |
arrived | withdraw |  |  | refused: withdraw_after_arrival |
arrived | consent |  |  | unchanged | consent_withdrawn
arrived | have_back |  |  | refused: offer_is_over |
declined | confirm |  |  | refused: offer_is_over |
declined | wait |  |  | refused: offer_is_over |
declined | decline |  |  | refused: offer_is_over |
declined | withdraw |  |  | withdraw waits | withdraw_proposed
declined | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
declined | have_back | in time |  | offer confirmed | answer_take_back
declined | have_back | late |  | refused: answer_too_late |
expired | confirm |  |  | refused: offer_is_over |
expired | wait |  |  | refused: offer_is_over |
expired | decline |  |  | refused: offer_is_over |
expired | withdraw |  |  | withdraw waits | withdraw_proposed
expired | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
expired | have_back |  |  | refused: offer_is_over |
superseded | confirm |  |  | refused: offer_is_over |
superseded | wait |  |  | refused: offer_is_over |
superseded | decline |  |  | refused: offer_is_over |
superseded | withdraw |  |  | withdraw waits | withdraw_proposed
superseded | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
superseded | have_back |  |  | refused: offer_is_over |
no_show | confirm |  |  | refused: offer_is_over |
no_show | wait |  |  | refused: offer_is_over |
no_show | decline |  |  | refused: offer_is_over |
no_show | withdraw |  |  | withdraw waits | withdraw_proposed
no_show | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
no_show | have_back |  |  | refused: offer_is_over |
revoked | confirm |  |  | refused: offer_is_over |
revoked | wait |  |  | refused: offer_is_over |
revoked | decline |  |  | refused: offer_is_over |
revoked | withdraw |  |  | withdraw waits | withdraw_proposed
revoked | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
revoked | have_back |  |  | refused: offer_is_over |
decline waits | confirm | in time | mother | offer confirmed; nothing waits any more | answer_confirm, decision_taken_back
decline waits | confirm | in time | father | offer confirmed; nothing waits any more; on hold, case opened | answer_confirm, decision_objected, on_hold
decline waits | confirm | late |  | refused: answer_too_late |
decline waits | wait | in time | mother | offer confirmed_waiting; nothing waits any more | answer_confirm_and_wait, decision_taken_back
decline waits | wait | in time | father | offer confirmed_waiting; nothing waits any more; on hold, case opened | answer_confirm_and_wait, decision_objected, on_hold
decline waits | wait | late |  | refused: answer_too_late |
decline waits | decline |  | mother | unchanged |
decline waits | decline |  | father | offer declined; nothing waits any more | answer_decline
decline waits | withdraw |  |  | withdraw waits | decision_void, withdraw_proposed
decline waits | consent |  |  | withdraw waits | consent_withdrawn, decision_void, withdraw_proposed
decline waits | agree |  | mother | refused: own_decision |
decline waits | agree |  | father | offer declined; nothing waits any more | answer_decline
decline waits | object |  | mother | refused: own_decision |
decline waits | object |  | father | nothing waits any more; on hold, case opened | decision_objected, on_hold
decline waits | take_back |  | mother | nothing waits any more | decision_taken_back
decline waits | take_back |  | father | refused: not_your_decision |
decline waits | have_back |  |  | refused: offer_is_over |
withdrawal waits | confirm | in time | mother | offer confirmed; nothing waits any more | answer_confirm, decision_taken_back
withdrawal waits | confirm | in time | father | offer confirmed; nothing waits any more; on hold, case opened | answer_confirm, decision_objected, on_hold
withdrawal waits | confirm | late |  | refused: answer_too_late |
withdrawal waits | wait | in time | mother | offer confirmed_waiting; nothing waits any more | answer_confirm_and_wait, decision_taken_back
withdrawal waits | wait | in time | father | offer confirmed_waiting; nothing waits any more; on hold, case opened | answer_confirm_and_wait, decision_objected, on_hold
withdrawal waits | wait | late |  | refused: answer_too_late |
withdrawal waits | decline |  |  | refused: decision_waits |
withdrawal waits | withdraw |  | mother | unchanged |
withdrawal waits | withdraw |  | father | application withdrawn; offer declined; nothing waits any more | withdrawn_finally
withdrawal waits | consent |  | mother | unchanged | consent_withdrawn
withdrawal waits | consent |  | father | application withdrawn; offer declined; nothing waits any more | consent_withdrawn, withdrawn_finally
withdrawal waits | agree |  | mother | refused: own_decision |
withdrawal waits | agree |  | father | application withdrawn; offer declined; nothing waits any more | withdrawn_finally
withdrawal waits | object |  | mother | refused: own_decision |
withdrawal waits | object |  | father | nothing waits any more; on hold, case opened | decision_objected, on_hold
withdrawal waits | take_back |  | mother | nothing waits any more | decision_taken_back
withdrawal waits | take_back |  | father | refused: not_your_decision |
withdrawal waits | have_back |  |  | refused: offer_is_over |
withdrawal waits without place | confirm |  |  | refused: offer_is_over |
withdrawal waits without place | wait |  |  | refused: offer_is_over |
withdrawal waits without place | decline |  |  | refused: offer_is_over |
withdrawal waits without place | withdraw |  | mother | unchanged |
withdrawal waits without place | withdraw |  | father | application withdrawn; nothing waits any more | withdrawn_finally
withdrawal waits without place | consent |  | mother | unchanged | consent_withdrawn
withdrawal waits without place | consent |  | father | application withdrawn; nothing waits any more | consent_withdrawn, withdrawn_finally
withdrawal waits without place | agree |  | mother | refused: own_decision |
withdrawal waits without place | agree |  | father | application withdrawn; nothing waits any more | withdrawn_finally
withdrawal waits without place | object |  | mother | refused: own_decision |
withdrawal waits without place | object |  | father | nothing waits any more; on hold, case opened | decision_objected, on_hold
withdrawal waits without place | take_back |  | mother | nothing waits any more | decision_taken_back
withdrawal waits without place | take_back |  | father | refused: not_your_decision |
withdrawal waits without place | have_back | in time | mother | offer confirmed; nothing waits any more | answer_take_back, decision_taken_back
withdrawal waits without place | have_back | in time | father | offer confirmed; nothing waits any more; on hold, case opened | answer_take_back, decision_objected, on_hold
withdrawal waits without place | have_back | late |  | refused: answer_too_late |
withdrawn | confirm |  |  | refused: offer_is_over |
withdrawn | wait |  |  | refused: offer_is_over |
withdrawn | decline |  |  | refused: offer_is_over |
withdrawn | withdraw |  |  | unchanged |
withdrawn | consent |  |  | unchanged | consent_withdrawn
withdrawn | have_back | in time |  | refused: application_is_over |
withdrawn | have_back | late |  | refused: answer_too_late |
on hold | confirm |  |  | refused: on_hold |
on hold | wait |  |  | refused: on_hold |
on hold | decline |  |  | refused: on_hold |
on hold | withdraw |  |  | refused: on_hold |
on hold | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed_in_dispute
on hold | have_back |  |  | refused: offer_is_over |
"""

OF_A_SINGLE_GUARDIAN = """
offered | decline |  |  | offer declined | answer_decline
offered | withdraw |  |  | application withdrawn; offer declined | withdrawn_finally
offered | consent |  |  | application withdrawn; offer declined | consent_withdrawn, withdrawn_finally
confirmed | decline |  |  | offer declined | answer_decline
confirmed | withdraw |  |  | application withdrawn; offer declined | withdrawn_finally
confirmed | consent |  |  | application withdrawn; offer declined | consent_withdrawn, withdrawn_finally
confirmed_waiting | decline |  |  | offer declined | answer_decline
confirmed_waiting | withdraw |  |  | application withdrawn; offer declined | withdrawn_finally
confirmed_waiting | consent |  |  | application withdrawn; offer declined | consent_withdrawn, withdrawn_finally
arrived | decline |  |  | refused: offer_is_over |
arrived | withdraw |  |  | refused: withdraw_after_arrival |
arrived | consent |  |  | unchanged | consent_withdrawn
declined | decline |  |  | refused: offer_is_over |
declined | withdraw |  |  | application withdrawn | withdrawn_finally
declined | consent |  |  | application withdrawn | consent_withdrawn, withdrawn_finally
expired | decline |  |  | refused: offer_is_over |
expired | withdraw |  |  | application withdrawn | withdrawn_finally
expired | consent |  |  | application withdrawn | consent_withdrawn, withdrawn_finally
superseded | decline |  |  | refused: offer_is_over |
superseded | withdraw |  |  | application withdrawn; offer declined | withdrawn_finally
superseded | consent |  |  | application withdrawn; offer declined | consent_withdrawn, withdrawn_finally
no_show | decline |  |  | refused: offer_is_over |
no_show | withdraw |  |  | application withdrawn | withdrawn_finally
no_show | consent |  |  | application withdrawn | consent_withdrawn, withdrawn_finally
revoked | decline |  |  | refused: offer_is_over |
revoked | withdraw |  |  | application withdrawn | withdrawn_finally
revoked | consent |  |  | application withdrawn | consent_withdrawn, withdrawn_finally
"""

OF_APPLICATIONS = """
draft | submit | open |  | application submitted | application_submitted
draft | submit | closed or frozen |  | refused: registration_closed |
draft | edit | open |  | changed |
draft | edit | closed or frozen |  | refused: registration_closed |
draft | wish | open |  | changed |
draft | wish | closed or frozen |  | refused: registration_closed |
draft | withdraw | open |  | application withdrawn | withdrawn_until
draft | withdraw | closed or frozen |  | application withdrawn | application_withdrawn
draft | apply_again |  |  | unchanged |
draft | consent | open |  | application withdrawn | consent_withdrawn, withdrawn_until
draft | consent | closed or frozen |  | application withdrawn | application_withdrawn, consent_withdrawn
submitted | submit |  |  | unchanged |
submitted | edit | open |  | changed | application_changed
submitted | edit | closed or frozen |  | refused: registration_closed |
submitted | wish | open |  | changed | application_changed
submitted | wish | closed or frozen |  | refused: registration_closed |
submitted | withdraw | open |  | application withdrawn | withdrawn_until
submitted | withdraw | closed or frozen |  | withdraw waits | withdraw_proposed
submitted | apply_again |  |  | unchanged |
submitted | consent | open |  | application withdrawn | consent_withdrawn, withdrawn_until
submitted | consent | closed or frozen |  | withdraw waits | consent_withdrawn, withdraw_proposed
in_review | submit |  |  | unchanged |
in_review | edit | open |  | application submitted | application_changed
in_review | edit | closed or frozen |  | refused: registration_closed |
in_review | wish | open |  | application submitted | application_changed
in_review | wish | closed or frozen |  | refused: registration_closed |
in_review | withdraw | open |  | application withdrawn | withdrawn_until
in_review | withdraw | closed or frozen |  | withdraw waits | withdraw_proposed
in_review | apply_again |  |  | unchanged |
in_review | consent | open |  | application withdrawn | consent_withdrawn, withdrawn_until
in_review | consent | closed or frozen |  | withdraw waits | consent_withdrawn, withdraw_proposed
returned | submit | open or closed |  | application submitted | application_changed
returned | submit | frozen |  | refused: registration_closed |
returned | edit | open or closed |  | changed |
returned | edit | frozen |  | refused: registration_closed |
returned | wish | open |  | changed |
returned | wish | closed |  | refused: round_not_open |
returned | wish | frozen |  | refused: registration_closed |
returned | withdraw | open |  | application withdrawn | withdrawn_until
returned | withdraw | closed or frozen |  | withdraw waits | withdraw_proposed
returned | apply_again |  |  | unchanged |
returned | consent | open |  | application withdrawn | consent_withdrawn, withdrawn_until
returned | consent | closed or frozen |  | withdraw waits | consent_withdrawn, withdraw_proposed
confirmed | submit |  |  | unchanged |
confirmed | edit | open |  | application submitted | application_changed
confirmed | edit | closed or frozen |  | refused: registration_closed |
confirmed | wish | open |  | application submitted | application_changed
confirmed | wish | closed or frozen |  | refused: registration_closed |
confirmed | withdraw | open |  | application withdrawn | withdrawn_until
confirmed | withdraw | closed or frozen |  | withdraw waits | withdraw_proposed
confirmed | apply_again |  |  | unchanged |
confirmed | consent | open |  | application withdrawn | consent_withdrawn, withdrawn_until
confirmed | consent | closed or frozen |  | withdraw waits | consent_withdrawn, withdraw_proposed
refused | submit |  |  | refused: application_is_over |
refused | edit |  |  | refused: application_is_over |
refused | wish |  |  | refused: application_is_over |
refused | withdraw |  |  | unchanged |
refused | apply_again |  |  | refused: application_was_refused |
refused | consent |  |  | unchanged | consent_withdrawn
withdrawn | submit |  |  | refused: application_is_over |
withdrawn | edit |  |  | refused: application_is_over |
withdrawn | wish |  |  | refused: application_is_over |
withdrawn | withdraw |  |  | unchanged |
withdrawn | apply_again | open |  | application draft | applied_again
withdrawn | apply_again | closed or frozen |  | refused: registration_over_expected |
withdrawn | consent |  |  | unchanged | consent_withdrawn
"""
"""Lines of the tables: state, act, when ("" at any time), who ("" whichever guardian), outcome, messages."""


@functools.cache
def lines_of(table: str) -> list[tuple[str, ...]]:
    split = ([cell.strip() for cell in line.split("|")] for line in table.strip().splitlines())
    return [tuple(cells + [""] * (6 - len(cells))) for cells in split]


def expected(table: str, state: str, act: str, when: str, who: str) -> tuple[str, str]:
    """The outcome and the messages of the first line that fits; without a line the act finds nothing."""
    for of, does, at, by, then, told in lines_of(table):
        if (of, does) == (str(state), act) and (not at or when in at.split(" or ")) and by in ("", who):
            return then, told
    return "not found", ""
