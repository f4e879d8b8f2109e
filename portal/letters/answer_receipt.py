"""The receipt of a family's answer to an offer, in Chinese: what was answered, when, by whom, with code and digest."""

from enrollment.applications.applications import Application
from enrollment.ground.city_time import CHENGDU
from enrollment.results.answers import AnswerReceipt
from enrollment.results.letters import LetterPage
from portal.letters.pages import letter_page
from portal.text.words import word


def answer_letter_page(application: Application, receipt: AnswerReceipt, *, demo: bool) -> LetterPage:
    """What the receipt says."""
    return letter_page(
        f"answer-{receipt.number}",
        "answer_receipt",
        receipt=receipt,
        child_name=application.child.name,
        kindergarten=receipt.programme.kindergarten.name,
        level=word("level", receipt.programme.level, in_language="zh"),
        answer=word("offer_move", receipt.move, in_language="zh"),
        answered_by=word("who", receipt.relation, in_language="zh"),
        year=application.year,
        at=f"{receipt.at.astimezone(CHENGDU):%Y-%m-%d %H:%M}",
        demo=demo,
    )
