"""The simulated people of the demo city all at once, in batches: reviews before the draw, answers after it."""

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sqlalchemy import Engine, exists, func, or_, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Stage
from enrollment.applications.applications import Application
from enrollment.ground.accounts import Account
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import Offer
from enrollment.people.consents import Consent
from portal.demo import people, review_rows
from portal.demo.actors import simulated_people

WAITING_FOR_A_RETURN, MOST_RETURNED = 250, 80
"""How many waiting applications there are for each one that is sent back, and how many are at most."""


CLERKS_AT_ONCE = 2
"""PostgreSQL stores the reviews of one batch while Python compares another."""


def finish_reviews(engine: Engine, now: dt.datetime, progress: Callable[[int, int], None]) -> int:
    """Let the simulated clerks review all waiting and abandoned applications, in batches."""
    with Session(engine) as session, session.begin():
        simulated_people.release_idle_reviews(session, by=people.actor(session, people.REVIEWER), now=now)
        clerk = people.reviewing_clerk(session)
        everything = session.scalar(select(func.count()).where(Application.stage == Stage.SUBMITTED)) or 0
        simulated_people.send_some_back(
            session, min(everything // WAITING_FOR_A_RETURN, MOST_RETURNED), by=clerk, now=now
        )
    reviewed = _Count(everything, progress)

    def review() -> None:
        """Batch after batch, until no application waits that nobody else reviews."""
        while True:
            with Session(engine) as session, session.begin():
                number = review_rows.review_batch(session, by=clerk, now=now)
            if not number:
                return
            reviewed.add(number)

    with ThreadPoolExecutor(CLERKS_AT_ONCE) as pool:
        for clerk_at_work in [pool.submit(review) for _n in range(CLERKS_AT_ONCE)]:
            clerk_at_work.result()
    return reviewed.done


class _Count:
    """How many of `everything` are done, by several threads."""

    def __init__(self, everything: int, progress: Callable[[int, int], None]):
        self._everything, self._progress, self._lock, self.done = everything, progress, threading.Lock(), 0

    def add(self, number: int) -> None:
        with self._lock:
            self.done += number
            self._progress(self.done, self._everything)


def families_that_answer(session: Session) -> frozenset[uuid.UUID]:
    """The accounts of the sign-in page, and of visitors: who read the real text of the consent."""
    of_sign_in_page = Account.phone_index.in_(people.phone_indices())
    of_visitor = exists().where(Consent.account_id == Account.id, Consent.text_digest != people.CONSENT[1])
    return frozenset(
        session.scalars(select(Account.id).where(Account.login.is_(None), or_(of_sign_in_page, of_visitor)))
    )


def finish_answers(
    engine: Engine, now: dt.datetime, progress: Callable[[int, int], None], *, leave_demo_family: bool = True
) -> int:
    """Let the simulated families answer their offers, except the families of the sign-in page and of visitors."""
    random = np.random.default_rng(51)
    with Session(engine) as session:
        leave = families_that_answer(session) if leave_demo_family else frozenset()
        everything = session.scalar(select(func.count()).where(Offer.state == OfferState.OFFERED)) or 0
    done, last = 0, None
    while True:
        with Session(engine) as session, session.begin():
            number, last = simulated_people.answer_offers(session, random, now=now, after=last, leave=leave)
        if not number:
            return done
        done += number
        progress(done, everything)
