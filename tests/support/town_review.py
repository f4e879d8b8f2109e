"""The part of the test town for the review."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from enrollment.applications.applications import Application
from enrollment.applications.returned_items import RefusalProposal
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground.accounts import Actor
from enrollment.places.kindergartens import Kindergarten
from enrollment.review import refusals, review, second_opinions
from enrollment.review.review import Finding
from enrollment.season.facts import Fact
from enrollment.season.rounds import Round


class Review:
    """`facts` maps facts to values, by the enumeration or by its codes."""

    def registration_is_over(self):
        """Move the clock to the minute after the last open round's registration; back it never goes."""
        last = self.session.scalar(
            select(Round.closes_at).where(Round.stage == "open").order_by(Round.closes_at.desc())
        )
        if last is not None and self.now < last:
            self.at(last + dt.timedelta(minutes=1))
        return self

    def reviewer_of(self, application: Application) -> Actor:
        """The clerk of the kindergarten that reviews this application: one person for each kindergarten."""
        known = self.__dict__.setdefault("_reviewers", {})
        kindergarten_id = application.review_kindergarten_id
        if kindergarten_id not in known:
            known[kindergarten_id] = self.clerk_of(self.session.get_one(Kindergarten, kindergarten_id))
        return known[kindergarten_id]

    def clerk_takes(self, application: Application, *, by: Actor | None = None) -> Actor:
        """The clerk of its kindergarten takes the application as soon as registration is over."""
        self.registration_is_over()
        by = by or self.reviewer_of(application)
        review.take(self.session, application.id, by=by, now=self.now)
        return by

    def clerk_confirms(
        self,
        application: Application,
        *,
        facts: Mapping[Fact | str, Any] | None = None,
        declined: Collection[Fact | str] = (),
        by: Actor | None = None,
    ) -> Application:
        """Everything claimed is verified as claimed, except what is `declined`; `facts` are found to be otherwise, or more.

        A colleague agrees where a register says otherwise.
        """
        by = self.clerk_takes(application, by=by)
        found = {
            fact: value
            for fact, value in claimed_facts(self.session, application.id).items()
            if fact not in {Fact(each) for each in declined}
        }
        found |= {Fact(fact): value for fact, value in (facts or {}).items()}
        findings = [Finding(fact, value, reason="看过原件") for fact, value in found.items()]
        findings += [Finding(Fact(fact), reason="证明材料不符") for fact in declined]
        review.confirm(self.session, application.id, by=by, now=self.now, facts=findings)
        for waiting in second_opinions.waiting(self.session, application.id):
            colleague = self.clerk_of(self.session.get_one(Kindergarten, application.review_kindergarten_id))
            second_opinions.decide(
                self.session, application.id, waiting.fact, agreed=True, seen=waiting.at, by=colleague, now=self.now
            )
        return application

    def clerk_sends_back(self, application: Application, *items: str, by: Actor | None = None) -> Application:
        """`items` are codes of documents or facts."""
        by = self.clerk_takes(application, by=by)
        asks = [review.Ask(item, f"请补充：{item}") for item in items]
        review.send_back(self.session, application.id, asks, by=by, now=self.now)
        return application

    def clerk_proposes_refusal(
        self,
        application: Application,
        *,
        by: Actor | None = None,
        fact: str = "home_place",
        explanation: str = "材料不实",
    ) -> RefusalProposal:
        """The clerk does not recognise a fact, and proposes to refuse the application for a false statement."""
        by = self.clerk_takes(application, by=by)
        review.verify(self.session, application.id, [Finding(Fact(fact), reason="与登记不符")], by=by, now=self.now)
        return refusals.propose_refusal(
            self.session,
            application.id,
            rule="falsehood",
            clause="第四条",
            fact=fact,
            explanation=explanation,
            by=by,
            now=self.now,
        )

    def everyone_is_reviewed(self) -> list[Application]:
        """Registration ends, and every application that was handed in is confirmed as claimed."""
        self.registration_is_over()
        waiting = select(Application).where(Application.stage == "submitted").order_by(Application.submitted_at)
        return [self.clerk_confirms(application) for application in self.session.scalars(waiting).all()]
