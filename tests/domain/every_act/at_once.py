"""What an act does in the second in which another person's act came first; derived from the tables of single acts.

Both people opened their pages in the same state.  Acts on a child take turns at its lock, so that the second act finds
the state that the first one left: its outcome is the line of *that* state (`then`).  A page sends along what it showed, and
is refused where that is not true any more (`from_a_stale_page`): the second person then reads what happened and decides again.
"""

from dataclasses import dataclass

from enrollment.offers.offer_rows import ANSWERABLE, OfferState
from tests.domain.every_act.decision_tables import (
    APPLICATION_ACTS,
    DECLINE_WAITS,
    HELD,
    OF_APPLICATIONS,
    OF_OFFERS,
    OFFER_ACTS,
    WITHDRAWAL_WAITS,
    WITHDRAWAL_WAITS_WITHOUT_PLACE,
    WITHDRAWN,
    expected,
)

OF_A_DECISION = ("agree", "object", "take_back")
ANSWERS = ("confirm", "wait", "decline")
WITHDRAWALS = ("withdraw", "consent")
PROPOSED = ("decline waits", "withdraw waits")
BENEATH = {
    DECLINE_WAITS: OfferState.OFFERED,
    WITHDRAWAL_WAITS: OfferState.OFFERED,
    WITHDRAWAL_WAITS_WITHOUT_PLACE: OfferState.DECLINED,
}
"""The state of the offer beneath what waits."""

ANSWERED = {"confirm": OfferState.CONFIRMED, "wait": OfferState.CONFIRMED_WAITING}
STALE = (*ANSWERS, *WITHDRAWALS)
"""The acts whose pages send along what they showed."""
GUARDIANS = ("mother", "father")
OVER = ("refused: decision_is_over", "")
STALE_PAGE = ("refused: the page shows what is newer", "")


@dataclass(frozen=True)
class Left:
    """What an act left: the state, who proposed what waits in it, whether that is another decision than before."""

    state: str
    proposer: str = "mother"
    new_decision: bool = False


def changes(outcome: str) -> bool:
    return not outcome.startswith(("refused", "not found", "unchanged"))


def left_by(state: str, who: str, outcome: str) -> Left:
    """The state of an offer after an act that changed it."""
    if "on hold" in outcome:
        return Left(HELD)
    if "application withdrawn" in outcome:
        return Left(WITHDRAWN)
    if outcome in PROPOSED:
        place = state in (*ANSWERABLE, DECLINE_WAITS, WITHDRAWAL_WAITS)
        kind = (
            DECLINE_WAITS if outcome == DECLINE_WAITS else WITHDRAWAL_WAITS if place else WITHDRAWAL_WAITS_WITHOUT_PLACE
        )
        return Left(kind, who, new_decision=True)
    offer = next((part.removeprefix("offer ") for part in outcome.split("; ") if part.startswith("offer ")), None)
    return Left(offer or BENEATH.get(state, state))


def seen_by(proposer: str, who: str) -> str:
    """The lines of a waiting decision are those of the mother's; where the father proposed, the two change places."""
    return who if proposer == "mother" else GUARDIANS[1 - GUARDIANS.index(who)]


def then(state: str, first: str, who: str, second: str, other: str) -> tuple[str, str]:
    """What the second act does to an offer right after the first one, as the service finds it."""
    left = left_by(state, who, expected(OF_OFFERS, state, first, "in time", who)[0])
    if (
        second == "have_back"
        and state != OfferState.DECLINED
        and left.state in (WITHDRAWAL_WAITS_WITHOUT_PLACE, WITHDRAWN)
    ):
        return "refused: offer_is_over", ""  # no place was given up
    if second in OF_A_DECISION:
        if state not in (DECLINE_WAITS, WITHDRAWAL_WAITS, WITHDRAWAL_WAITS_WITHOUT_PLACE):
            return "not found", ""  # its page shows no decision
        if left.new_decision or not left.state.endswith(("waits", "without place")):
            return OVER
    outcome, told = expected(OF_OFFERS, left.state, second, "in time", seen_by(left.proposer, other))
    if left.new_decision and state == ANSWERED.get(second):  # the place is confirmed in this way already
        return outcome.removeprefix(f"offer {state}; "), ", ".join(told.split(", ")[1:])
    return outcome, told


def from_a_stale_page(state: str, first: str, who: str, second: str, other: str) -> tuple[str, str]:
    """The same where the second person's page was opened before the first act, and sends along what it showed."""
    outcome = expected(OF_OFFERS, state, first, "in time", who)[0]
    left = left_by(state, who, outcome)
    if second in ANSWERS:
        return STALE_PAGE
    if (second == "withdraw" and left.state in (WITHDRAWN, HELD)) or consequence(state) == consequence(left.state):
        return then(state, first, who, second, other)
    return "refused: consequence_changed", ""


def consequence(state: str) -> str:
    """What a page of a withdrawal shows in a state."""
    if state in (WITHDRAWN, HELD):
        return state
    return "place" if state in (*ANSWERABLE, DECLINE_WAITS, WITHDRAWAL_WAITS) else "ticket"


def firsts(state: str) -> list[tuple[str, str]]:
    """The acts that change something in a state, each with who does it; where both may do the same, the mother does.

    None for a place that another has replaced, since whoever acts then acts on that one, and none during a dispute.
    """
    found: list[tuple[str, str]] = []
    if state in (OfferState.SUPERSEDED, HELD):
        return found
    for act in OFFER_ACTS:
        lines = {who: expected(OF_OFFERS, state, act, "in time", who) for who in GUARDIANS}
        several = state.endswith(("waits", "without place"))
        for who in GUARDIANS if several else GUARDIANS[:1]:
            if changes(lines[who][0]):
                found.append((act, who))
    return found


def seconds(state: str, first: str, who: str) -> list[str]:
    """The acts that the other person's page may offer at the same moment."""
    left = left_by(state, who, expected(OF_OFFERS, state, first, "in time", who)[0])
    decision = OF_A_DECISION if state.endswith(("waits", "without place")) else ()
    given_up = ("have_back",) if OfferState.DECLINED in (state, left.state) else ()
    return [*ANSWERS, *WITHDRAWALS, *decision, *given_up]


def other_than(who: str) -> str:
    return GUARDIANS[1 - GUARDIANS.index(who)]


# --- an application -----------------------------------------------------------------------------------------------


def pairs_of_an_application(stage: str) -> list[tuple[str, str]]:
    """An act that changes an application while registration is open, and an act of the other guardian's older page."""
    firsts_ = [act for act in APPLICATION_ACTS if changes(expected(OF_APPLICATIONS, stage, act, "open", "mother")[0])]
    return [(first, second) for first in firsts_ for second in APPLICATION_ACTS]


def then_of_an_application(stage: str, first: str, second: str) -> tuple[str, str]:
    outcome = expected(OF_APPLICATIONS, stage, first, "open", "mother")[0]
    left = outcome.removeprefix("application ") if outcome.startswith("application ") else stage
    said, told = expected(OF_APPLICATIONS, left, second, "open", "father")
    if second == "submit" and said == "unchanged":
        return said, told  # the receipt that there is
    if second in ("submit", "wish") or (second, first) == ("edit", "edit"):
        return "refused: changed_elsewhere", ""
    return said, told
