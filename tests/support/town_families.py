"""The part of the test town for families."""

import datetime as dt
import hashlib
import itertools
from dataclasses import dataclass, field

from sqlalchemy import any_, literal, select

from enrollment.applications import (
    applications,
    identity_documents,
    registration,
    sibling_binding,
    submission,
    wishes,
)
from enrollment.applications.applications import Application
from enrollment.applications.guardian_access import guardian_joining
from enrollment.applications.receipts import Receipt
from enrollment.eligibility import claims, households
from enrollment.ground import identity, sign_in
from enrollment.ground.accounts import Account, Actor, actor_of
from enrollment.offers import withdrawals
from enrollment.people import consents, guardians, invitations
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season import ages
from enrollment.season.facts import Ground
from enrollment.season.rounds import Round

_sequence = itertools.count(1)

RENTED_IN_JINJIANG = {
    "hukou_kind": "local",
    "hukou_area": "510104",
    "hukou_street": "三圣街道",
    "home_area": "510104",
    "home_street": "三圣街道",
    "home_address": "三圣街道 8 号（模拟数据）",
}


def id_number(born: dt.date, sex: str = "f", region: str = "510104") -> str:
    """A valid number that nobody else in the town has."""
    order = next(_sequence) % 500 * 2 + (1 if sex == "m" else 0)
    first = f"{region}{born:%Y%m%d}{order % 1000:03d}"
    return first + identity.check_character(first)


def phone_number() -> str:
    return f"138{next(_sequence):08d}"


@dataclass
class Family:
    """A guardian who signed in, said who he or she is, and consented."""

    name: str
    phone: str
    account: Account
    household: dict = field(default_factory=lambda: dict(RENTED_IN_JINJIANG))

    @property
    def actor(self) -> Actor:
        return actor_of(self.account)


class Families:
    """A child gets a new family unless one is given; all data are entered with the service functions."""

    def family(
        self, name: str = "李", *, phone: str | None = None, born: dt.date = dt.date(1990, 5, 4), **household
    ) -> Family:
        account = sign_in.account_of_phone(self.session, phone or phone_number(), now=self.now)
        family = Family(name, account.phone, account, RENTED_IN_JINJIANG | household)
        guardians.save_guardian(
            self.session,
            name=f"{name}家长",
            id_kind="resident",
            id_number=id_number(born, "f"),
            by=family.actor,
            now=self.now,
        )
        self.consent(family)
        return family

    def consent(self, family: Family, kind: str = consents.CHILD_DATA) -> None:
        digest = hashlib.sha256(kind.encode()).hexdigest()
        consents.give(self.session, kind, text_version="1", text_digest=digest, by=family.actor, now=self.now)

    def agree_to_registers(self, family: Family, *registers: consents.Register) -> None:
        """The family agrees to these registers; without a name, to every one."""
        for register in registers or consents.Register:
            self.consent(family, consents.KIND_OF[register])

    def child(
        self,
        name: str,
        *,
        family: Family | None = None,
        level: str = "lower",
        born: dt.date | None = None,
        sex: str = "f",
        year: int = 2026,
        number: str | None = None,
        id_kind: str = "resident",
        wishes: list | tuple = (),
        grounds: dict | list | tuple = (),
        submit: bool = True,
        **household,
    ) -> Application:
        """The application of a child.  With wishes it is handed in, unless `submit=False`.

        `wishes` are kindergartens or programmes; `grounds` maps what a family is asked about to its detail, for
        example `{"elder_sibling": kindergarten}`; `household` are answers such as `hukou_area="510105"`.
        """
        self._registration_for(level, year, wishes=bool(wishes))
        family = family or self.family(name)
        born = born or ages.born_between(level, year)[0] + dt.timedelta(days=100)
        application = registration.enter_child(
            self.session,
            year,
            name=name,
            id_kind=id_kind,
            id_number=number or id_number(born, sex),
            relation="mother",
            born=born,
            sex=sex,
            by=family.actor,
            now=self.now,
        )
        if id_kind != "resident":
            self.not_entered_before(application)
        households.save(self.session, application.id, by=family.actor, now=self.now, **(family.household | household))
        if grounds:
            self.claim(application, grounds)
        if wishes:
            self.wish(application, *wishes)
            if submit:
                self.submit(application)
        return application

    def not_entered_before(self, application: Application) -> None:
        """The family's answer to the question that follows a document other than a first resident number."""
        by = self.parent_of(application)
        identity_documents.answer_entered_before(self.session, application.id, entered_before="no", by=by, now=self.now)

    def twins(
        self, *names: str, bound: bool = True, wishes: list | tuple = (), submit: bool = True, **more
    ) -> list[Application]:
        """Children of one birth, bound together or drawn each for itself."""
        family = more.pop("family", None) or self.family(names[0])
        pair = [self.child(name, family=family, wishes=wishes, submit=False, **more) for name in names]
        if bound:
            self.bind(*pair)
        for application in pair if wishes and submit else ():
            self.submit(application)
        return pair

    def parent_of(self, application: Application) -> Actor:
        """The guardian in whose name the application was entered."""
        return actor_of(self.session.get_one(Account, application.entered_for or application.entered_by))

    def claim(self, application: Application, grounds) -> None:
        said = grounds if isinstance(grounds, dict) else dict.fromkeys(grounds)
        said = {Ground(g): d.code if isinstance(d, Kindergarten) else d for g, d in said.items()}
        claims.set_claims(self.session, application.id, said, by=self.parent_of(application), now=self.now)

    def wish(self, application: Application, *wanted, round_: Round | None = None, by: Actor | None = None) -> None:
        round_ = round_ or self.round_for(application)
        ids = [self._programme_id(each, application) for each in wanted]
        wishes.set_wishes(
            self.session,
            application.id,
            round_.id,
            ids,
            version=None,
            by=by or self.parent_of(application),
            now=self.now,
        )

    def submit(self, application: Application, by: Actor | None = None) -> Receipt:
        by = by or self.parent_of(application)
        return submission.submit(self.session, application.id, agrees_to_central=True, by=by, now=self.now)

    def withdraw(self, application: Application) -> None:
        withdrawals.withdraw(self.session, application.id, by=self.parent_of(application), now=self.now)

    def apply_again(self, application: Application) -> Application:
        by = self.parent_of(application)
        return applications.start(self.session, application.child_id, application.year, by=by, now=self.now)

    def bind(self, *together: Application) -> None:
        ids = [application.id for application in together]
        sibling_binding.bind(self.session, ids, by=self.parent_of(together[0]), now=self.now)

    def separate(self, application: Application) -> None:
        sibling_binding.separate(self.session, application.id, by=self.parent_of(application), now=self.now)

    def follow_elder(self, younger: Application, elder: Application) -> None:
        sibling_binding.follow_elder(self.session, younger.id, elder.id, by=self.parent_of(younger), now=self.now)

    def second_guardian(self, application: Application, name: str = "王", *, other: Family | None = None) -> Family:
        """Invite and add the second guardian."""
        other = other or self.family(name)
        by = self.parent_of(application)
        invitation = invitations.invite(self.session, application.child_id, other.phone, by=by, now=self.now)
        guardian_joining.accept_invitation(self.session, invitation.id, relation="father", by=other.actor, now=self.now)
        return other

    def round_for(self, application: Application) -> Round:
        """The round that takes the application's wishes now."""
        fitting = select(Round).where(
            Round.year == application.year,
            Round.stage == "open",
            Round.opens_at <= self.now,
            Round.closes_at > self.now,
            literal(application.level) == any_(Round.levels),
        )
        found = self.session.scalars(fitting.order_by(Round.number)).first()
        return found or self.open_registration(levels=[application.level])

    def _registration_for(self, level: str, year: int, *, wishes: bool) -> None:
        """A child can be entered when a round is planned, and wish when it is open."""
        self.area()
        self.season(year)
        rounds = list(
            self.session.scalars(select(Round).where(Round.year == year, literal(level) == any_(Round.levels)))
        )
        if not rounds:
            self.round(levels=[level])
        if wishes and not any(round_.stage != "planned" for round_ in rounds):
            self.open_registration()

    def _programme_id(self, wanted: Kindergarten | Programme, application: Application):
        if isinstance(wanted, Programme):
            return wanted.id
        programme = select(Programme.id).where(
            Programme.kindergarten_id == wanted.id,
            Programme.level == application.level,
            Programme.year == application.year,
        )
        return self.session.scalars(programme).one()
