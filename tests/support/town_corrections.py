"""The part of the test town for corrections after the deadline."""

from enrollment.applications.applications import Application
from enrollment.corrections import decisions, requests
from enrollment.ground.accounts import Actor
from enrollment.places.kindergartens import Kindergarten
from enrollment.review.correction_rows import CorrectionKind, CorrectionRequest
from enrollment.season.facts import Fact
from tests.support.town_helping import photo_of_a_paper

WHY = "户口簿上是这样写的"


class Corrections:
    """A family requests with a paper; a clerk and a head of the reviewing kindergarten decide."""

    def requests_correction(
        self,
        application: Application,
        kind: CorrectionKind | str,
        *,
        fact: Fact | None = None,
        by: Actor | None = None,
        papers: list[bytes] | None = None,
        **typed,
    ) -> CorrectionRequest:
        return requests.request_by_family(
            self.session, application.id, CorrectionKind(kind), typed, fact=fact, statement=WHY,
            papers=[photo_of_a_paper()] if papers is None else papers,
            by=by or self.parent_of(application), now=self.now,
        )  # fmt: skip

    def finds_error(
        self, application: Application, kind: CorrectionKind | str, *, by: Actor, fact: Fact | None = None, **typed
    ) -> CorrectionRequest:
        """A clerk or an official files what it found."""
        return requests.request_by_staff(
            self.session, application.id, CorrectionKind(kind), typed, fact=fact, statement=WHY, by=by, now=self.now
        )

    def agrees(self, request: CorrectionRequest, by: Actor, *, version: int | None = None) -> CorrectionRequest:
        return decisions.agree(
            self.session, request.id, version=request.version if version is None else version, reason="已核对原件",
            by=by, now=self.now,
        )  # fmt: skip

    def refuses(self, request: CorrectionRequest, by: Actor) -> CorrectionRequest:
        return decisions.refuse(
            self.session, request.id, version=request.version, reason="材料看不出来", by=by, now=self.now
        )

    def desk_pair(self, application: Application) -> tuple[Actor, Actor]:
        """A clerk and the head of the kindergarten that reviews the application."""
        kindergarten = self.session.get_one(Kindergarten, application.review_kindergarten_id)
        return self.reviewer_of(application), self.head_of(kindergarten)

    def two_agree(self, request: CorrectionRequest) -> CorrectionRequest:
        application = self.session.get_one(Application, request.application_id)
        for person in self.desk_pair(application):
            self.agrees(request, person)
        return request

    def one_agrees(self, request: CorrectionRequest) -> CorrectionRequest:
        application = self.session.get_one(Application, request.application_id)
        return self.agrees(request, self.reviewer_of(application))
