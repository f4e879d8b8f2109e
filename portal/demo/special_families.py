"""A few families of the demo area whose course is unlike the others', entered with the service functions.

Drafts at several pages, withdrawals, disputes with and without a hold, second guardians, invitations, families without a
telephone whom a helper enters, children with a passport or a permit, siblings of two class levels.
"""

import datetime as dt
import io
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.random import Generator
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import (
    identity_documents,
    mandates,
    registration,
    sibling_binding,
    submission,
    wishes,
)
from enrollment.applications.applications import Application
from enrollment.applications.guardian_access import guardian_joining
from enrollment.applications.mandates import Paper, Terms, Text
from enrollment.eligibility import households
from enrollment.ground import sign_in
from enrollment.ground.accounts import Account, Actor, actor_of
from enrollment.ground.classifications import Level
from enrollment.people import consents, guardians, invitations
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.review import cases
from enrollment.season import ages
from enrollment.season.rounds import Round
from portal.demo import names, people
from portal.demo.identity_numbers import Numbers
from portal.demo.neighbourhoods import Neighbourhoods

FIRST_PHONE = 18_800_000_000
VERSION, DIGEST = "demo", "0" * 64


class SpecialFamilies:
    """The families live in the area of the sign-in page and wish for its kindergartens."""

    def __init__(
        self,
        session: Session,
        random: Generator,
        numbers: Numbers,
        around: Neighbourhoods,
        round_: Round,
        now: dt.datetime,
    ):
        self.session, self.random, self.numbers, self.around = session, random, numbers, around
        self.round, self.now, self.phone = round_, now, FIRST_PHONE
        found = session.execute(
            select(Programme.level, Kindergarten.name, Programme.id)
            .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
            .where(Programme.year == round_.year, Kindergarten.name.in_((people.HOME, people.ELSEWHERE)))
        )
        self.programmes: Mapping[tuple[str, str], uuid.UUID] = {(row.level, row.name): row.id for row in found}

    def enter_all(self) -> None:
        self._drafts()
        self._withdrawals()
        self._documents()
        self._guardians()
        self._disputes()
        self._siblings()
        self._helped()

    def _drafts(self) -> None:
        """The first only named the child, the second came to the household, the third did not hand in."""
        self._child(self._family())
        self._live(self._child(self._family()))
        unfinished = self._child(self._family())
        self._live(unfinished)
        self._wish(unfinished, people.ELSEWHERE, people.HOME)

    def _withdrawals(self) -> None:
        for reason in ("已确定回老家入园（模拟数据）", None):
            application = self._handed_in(people.HOME)
            submission.withdraw(self.session, application.id, by=self._by(application), now=self.now, reason=reason)

    def _documents(self) -> None:
        """Children without a resident number."""
        born = dt.date(2023, 3, 8)
        for kind, number, name in (
            ("passport", "EJ4821763", "Emma Laurent"),
            ("passport", "XDA551208", "Noah Schmidt"),
            ("hk_macau_permit", "H20417735", "陳嘉欣"),
        ):
            by = self._family()
            application = registration.enter_child(
                self.session, self.round.year, name=name, id_kind=kind, id_number=number, relation="mother", born=born,
                sex="f", by=by, now=self.now,
            )  # fmt: skip
            identity_documents.answer_entered_before(
                self.session, application.id, entered_before="no", by=by, now=self.now
            )
            self._complete(application, people.HOME, people.ELSEWHERE, hukou_kind="elsewhere", hukou_area=None)

    def _guardians(self) -> None:
        """A child of two guardians, and one whose other guardian has not answered yet."""
        self._joined(self._handed_in(people.HOME, people.ELSEWHERE))
        waiting = self._handed_in(people.HOME)
        invitations.invite(self.session, waiting.child_id, str(self._next_phone()), by=self._by(waiting), now=self.now)

    def _disputes(self) -> None:
        """By somebody unknown to the child's row, and by an accepted guardian, which holds the application."""
        for accepted in (False, True):
            application = self._handed_in(people.HOME, people.ELSEWHERE)
            other = self._joined(application) if accepted else self._family()
            cases.open_dispute(
                self.session, child_name=application.child.name, id_kind="resident",
                id_number=application.child.id_number or "", text="孩子由我抚养，另一方未经同意提交了申请。（模拟数据）", by=other,
                now=self.now,
            )  # fmt: skip

    def _siblings(self) -> None:
        """A younger child who follows the elder: the elder changes the kindergarten and enters a middle class."""
        for kindergartens in ((people.HOME,), (people.ELSEWHERE, people.HOME)):
            by = self._family()
            elder, younger = self._child(by, Level.MIDDLE), self._child(by)
            self._complete(elder, *kindergartens)
            self._live(younger)
            sibling_binding.follow_elder(self.session, younger.id, elder.id, by=by, now=self.now)
            self._wish(younger, people.HOME, people.ELSEWHERE)
            self._submit(younger)

    def _helped(self) -> None:
        """Two families without a telephone signed a paper; one still waits for its documents."""
        helper = people.actor(self.session, "helper1")
        text = Text(VERSION, DIGEST)
        content = io.BytesIO()
        Image.new("RGB", (420, 594), "white").save(content, "JPEG")
        for complete in (True, False):
            name = names.adult(self.random, names.surname(self.random))
            paper = Paper(name, (self.now - dt.timedelta(days=1)).date(), "", content.getvalue())
            terms = Terms(self.round.year, text, text, dict.fromkeys(consents.Register, text))
            mandate = mandates.give_on_paper(self.session, paper, terms, by=helper, now=self.now)
            acting = mandates.go_on(self.session, mandate.id, by=helper, now=self.now)
            self._guardian(acting, name)
            application = self._child(acting)
            if complete:
                self._complete(application, people.HOME, by=acting)

    def _next_phone(self) -> int:
        self.phone += 1
        return self.phone

    def _family(self) -> Actor:
        """A guardian who signed in, consented and told who they are."""
        account = sign_in.account_of_phone(self.session, str(self._next_phone()), now=self.now)
        by = actor_of(account)
        for kind in consents.KINDS:
            consents.give(self.session, kind, text_version=VERSION, text_digest=DIGEST, by=by, now=self.now)
        self._guardian(by, names.adult(self.random, names.surname(self.random)))
        return by

    def _guardian(self, by: Actor, name: str) -> None:
        born = dt.date(1988, 1, 1) + dt.timedelta(days=int(self.random.integers(0, 3600)))
        number = self.numbers.of(people.AREA, born, "f")
        guardians.save_guardian(self.session, name=name, id_kind="resident", id_number=number, by=by, now=self.now)

    def _child(self, by: Actor, level: Level = Level.LOWER) -> Application:
        first, last = ages.born_between(level, self.round.year)
        born = first + dt.timedelta(days=int(self.random.integers(0, (last - first).days)))
        return registration.enter_child(
            self.session, self.round.year, name=names.child(self.random, names.surname(self.random)), id_kind="resident",
            id_number=self.numbers.of(people.AREA, born, "f"), relation="mother", by=by, now=self.now,
        )  # fmt: skip

    def _live(self, application: Application, by: Actor | None = None, **said: Any) -> None:
        near = self.around.all[int(self.random.integers(len(self.around.all)))]
        home: dict[str, Any] = {
            "hukou_kind": "local", "hukou_area": people.AREA, "home_area": people.AREA, "home_street": near.street,
            "home_community": near.community, "home_estate": near.estate, "home_owned": True,
            "home_longitude": near.point[0], "home_latitude": near.point[1],
            "home_address": f"{near.estate} {int(self.random.integers(1, 20))} 栋（模拟数据）",
        }  # fmt: skip
        by = by or self._by(application)
        households.save(self.session, application.id, by=by, now=self.now, **(home | said))

    def _wish(self, application: Application, *kindergartens: str, by: Actor | None = None) -> None:
        programmes = [self.programmes[application.level, name] for name in kindergartens]
        wishes.set_wishes(
            self.session, application.id, self.round.id, programmes, version=None, by=by or self._by(application),
            now=self.now,
        )  # fmt: skip

    def _submit(self, application: Application, by: Actor | None = None) -> None:
        by = by or self._by(application)
        submission.submit(self.session, application.id, agrees_to_central=True, by=by, now=self.now)

    def _complete(
        self, application: Application, *kindergartens: str, by: Actor | None = None, **said: str | None
    ) -> None:
        self._live(application, by, **said)
        self._wish(application, *kindergartens, by=by)
        self._submit(application, by)

    def _handed_in(self, *kindergartens: str) -> Application:
        application = self._child(self._family())
        self._complete(application, *kindergartens)
        return application

    def _joined(self, application: Application) -> Actor:
        """The second guardian, who accepted the first one's invitation."""
        other = self._family()
        invitation = invitations.invite(
            self.session, application.child_id, str(self.phone), by=self._by(application), now=self.now
        )
        guardian_joining.accept_invitation(self.session, invitation.id, relation="father", by=other, now=self.now)
        return other

    def _by(self, application: Application) -> Actor:
        """The guardian who entered the child."""
        return actor_of(self.session.get_one(Account, application.entered_by))


def enter_all(
    session: Session,
    random: Generator,
    numbers: Numbers,
    around: Neighbourhoods,
    rounds: Sequence[Round],
    now: dt.datetime,
) -> None:
    """Enter the families an hour before the time of the demo, in its first round."""
    SpecialFamilies(session, random, numbers, around, rounds[0], now - dt.timedelta(hours=1)).enter_all()
