"""The part of the test town for community helpers and mandates."""

import datetime as dt
import hashlib
import io
import uuid

from PIL import Image

from enrollment.applications import mandates, registration
from enrollment.applications.applications import Application
from enrollment.applications.guardian_access import access_code_proofs, access_codes
from enrollment.applications.mandates import Mandate, Paper, Terms, Text
from enrollment.eligibility import households
from enrollment.ground.accounts import Actor, actor_of
from enrollment.people import guardians
from enrollment.people.consents import Register
from enrollment.season import ages
from tests.support.town_families import RENTED_IN_JINJIANG, id_number


def text(name: str) -> Text:
    return Text("1", hashlib.sha256(name.encode()).hexdigest())


def terms(*, registers: bool = False, year: int = 2026) -> Terms:
    return Terms(
        year, text("mandate"), text("child_data"), {each: text(each) for each in Register} if registers else {}
    )


def photo_of_a_paper(colour: str = "white") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (60, 80), colour).save(content, "JPEG")
    return content.getvalue()


class Helping:
    """`by` is the helper; `acting` is the helper as the one who acts for a family."""

    def helper(self, name: str = "小杨", login: str | None = None) -> Actor:
        self.season()
        return actor_of(self.account_of_staff(login or f"helper-{uuid.uuid4().hex[:8]}", name, "helper"))

    def mandate_by_code(self, helper: Actor, phone: str, **more) -> Mandate:
        """A minute later, the guardian reads out what its phone received."""
        self.at(self.now + dt.timedelta(minutes=1))
        code = mandates.ask(self.session, phone, terms(**more), by=helper, now=self.now)
        assert code is not None
        given = mandates.give_by_code(self.session, phone, code, terms(**more), by=helper, now=self.now)
        assert given is not None
        return given

    def mandate_on_paper(self, helper: Actor, phone: str, name: str = "张小三", **more) -> Mandate:
        self.at(self.now + dt.timedelta(minutes=1))
        paper = Paper(name, (self.now - dt.timedelta(days=1)).date(), phone, photo_of_a_paper())
        return mandates.give_on_paper(self.session, paper, terms(**more), by=helper, now=self.now)

    def prints_code(self, application: Application, account_id: uuid.UUID, *, by: Actor) -> str:
        """The text of a new access code, which a desk prints after its check, with a code on the guardian's phone."""
        now, about = self.now, (self.session, application.id, account_id)
        sent = access_code_proofs.send_code(*about, by=by, now=now)
        code, text = access_codes.issue(*about, by=by, now=now, phone_code=sent or "")
        assert code is not None
        return text

    def acting(self, helper: Actor, mandate: Mandate) -> Actor:
        acting = mandates.acting_for(self.session, mandate.id, by=helper, now=self.now)
        assert acting is not None
        return acting

    def helper_enters(
        self,
        acting: Actor,
        child: str = "张小宝",
        *,
        wishes: list | tuple = (),
        guardian: str = "张小三",
        guardians_number: str | None = None,
        number: str | None = None,
        submit: bool = True,
    ) -> Application:
        """A whole application, with the service functions of families; submitted if there are wishes."""
        if guardians.guardian_of(self.session, by=acting) is None:
            registration.save_guardian(
                self.session,
                name=guardian,
                id_kind="resident",
                id_number=guardians_number or id_number(dt.date(1988, 3, 3)),
                by=acting,
                now=self.now,
            )
        born = ages.born_between("lower", 2026)[0] + dt.timedelta(days=100)
        application = registration.enter_child(
            self.session,
            2026,
            name=child,
            id_kind="resident",
            id_number=number or id_number(born),
            relation="mother",
            by=acting,
            now=self.now,
        )
        households.save(self.session, application.id, by=acting, now=self.now, **RENTED_IN_JINJIANG)
        if wishes:
            self.wish(application, *wishes, by=acting)
            if submit:
                self.submit(application, by=acting)
        return application
