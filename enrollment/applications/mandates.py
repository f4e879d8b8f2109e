"""Mandates 代办委托: a community helper enters a family's application with the guardian's consent.

A guardian gives a mandate by reading out a code from their own phone, or by signing a paper.  The helper sees only what
they entered for this guardian in this season; `acting_for` makes the actor that is passed to service functions.
"""

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import applications, deadlines
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.guardian_access import doubted_phones, paper_families
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit, outbox, sign_in
from enrollment.ground.accounts import Account, Actor, OnBehalf, Role, require_oneself
from enrollment.ground.audit import AuditEntry
from enrollment.ground.city_time import format_time, today
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.files.uploads import SafePage, sanitise_upload
from enrollment.ground.phones import parse_phone, phone_index
from enrollment.ground.vault import seal_file, unseal_file
from enrollment.people import consents, guardians
from enrollment.people.consents import Register
from enrollment.people.mandate_rows import PAPER_PURPOSE, WAYS, Mandate
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.season import openings

__all__ = ["WAYS", "Mandate"]

LONGEST = dt.timedelta(days=30)
PAPER_KEEPS = dt.timedelta(days=30)
ENDED_SHOWN = dt.timedelta(days=7)
"""How long the helper reads that a family has ended its mandate, which else would vanish from the list."""


@dataclass(frozen=True)
class Text:
    """A text that the guardian agreed to: its version and the digest of its file."""

    version: str
    digest: str


@dataclass(frozen=True)
class Terms:
    """What the guardian agrees to together: the mandate, storing the child's data, and optionally asking registers, each
    with its own text."""

    year: int
    mandate: Text
    child_data: Text
    registers: Mapping[Register, Text] = field(default_factory=dict)

    def digest(self) -> str:
        """The digest of these texts; a code is valid only for it and for the helper."""
        parts = [str(self.year), self.mandate.digest, self.child_data.digest]
        parts += [text.digest for text in self.registers.values()]
        return hashlib.sha256("|".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Paper:
    """A signed mandate on paper: who signed, when, the phone number on it (empty without one), and its photo or PDF.

    `family` is the account of an earlier family without a phone that the helper picked (`paper_families`).
    """

    name: str
    signed_on: dt.date | None
    phone: str
    content: bytes
    family: uuid.UUID | None = None


def ask(session: Session, phone: str, terms: Terms, *, by: Actor, now: dt.datetime) -> str | None:
    """A code for the guardian's phone, valid for this helper and these terms; None after too many codes for the phone.

    The caller shows the same answer in both cases.  Refuses `nothing_to_enter` if the year takes no changes.
    """
    _helper(by)
    _require_a_season(session, terms.year, now)
    return sign_in.send_code(
        session, phone, now=now, purpose=sign_in.MANDATE, bound_to=_bound_to(terms, by), asker=_asker(by)
    )


def waiting_time(session: Session, phone: str, *, by: Actor, now: dt.datetime) -> dt.timedelta:
    """How long this helper has to wait before the phone can get another code; zero if no wait is needed."""
    return sign_in.waiting_time(session, phone, now=now, purpose=sign_in.MANDATE, asker=_asker(by))


def give_by_code(
    session: Session, phone: str, code: str, terms: Terms, *, by: Actor, now: dt.datetime
) -> Mandate | None:
    """Store the mandate of the guardian who read out the code.  None for a wrong code.

    The caller must also commit after a wrong code, because the attempt is counted.  Creates the guardian's account if there
    is none.  Refuses `account_is_closed`, and `phone_doubted` if the number may belong to another person now.
    """
    helper_id = _helper(by)
    _require_a_season(session, terms.year, now)
    bound_to, asker = _bound_to(terms, by), _asker(by)
    if not sign_in.use_code(session, phone, code, now=now, purpose=sign_in.MANDATE, bound_to=bound_to, asker=asker):
        return None
    account = sign_in.account_of_phone(session, phone, now=now)
    if account.disabled_at is not None:
        raise Refused("account_is_closed", field="code")
    if doubted_phones.is_doubted(session, account, known_browser=False, now=now):
        raise Refused("phone_doubted", field="code")
    doubted_phones.note_proof(session, account, now=now)
    mandate = Mandate(id=uuid.uuid4(), helper_id=helper_id, account_id=account.id, way="code")
    return _give(session, mandate, terms, by=by, now=now)


def give_on_paper(session: Session, paper: Paper, terms: Terms, *, by: Actor, now: dt.datetime) -> Mandate:
    """Store the mandate of a guardian who signed a paper, with the photo of the paper.

    A phone number on paper is not verified, so a separate account is used even if the number is known: the helper sees no
    earlier data, and the holder of a mistyped number gets no access to the child.  The guardian takes the account over after
    signing in (`guardian_takeover`).  Refuses missing values, with their field.
    """
    helper_id = _helper(by)
    _require_a_season(session, terms.year, now)
    name = guardians.validate_name(paper.name)
    phone = parse_phone(paper.phone) if paper.phone.strip() else ""
    if paper.signed_on is None:
        raise Refused("signed_on_missing", field="signed_on")
    if not today(now) - PAPER_KEEPS <= paper.signed_on <= today(now):
        raise Refused("signed_on_odd", field="signed_on", n=PAPER_KEEPS.days)
    if not paper.content:
        raise Refused("file_missing", field="paper")
    safe = sanitise_upload(paper.content, field="paper")
    index = phone_index(phone) if phone else None
    mandate_id = uuid.uuid4()
    mandate = Mandate(
        id=mandate_id,
        helper_id=helper_id,
        account_id=paper_families.account_of_paper(session, index, name, phone, paper.family, by=by, now=now),
        way="paper",
        signed_name=name,
        signed_on=paper.signed_on,
        paper=seal_file(safe.content, PAPER_PURPOSE, mandate_id),
        paper_type=safe.media_type,
        phone_index=index,
    )
    return _give(session, mandate, terms, by=by, now=now)


def live_of_helper(session: Session, *, by: Actor, now: dt.datetime) -> list[Mandate]:
    """The valid mandates of this helper, the newest first."""
    mine = select(Mandate).where(Mandate.helper_id == by.account_id, Mandate.ended_at.is_(None), Mandate.ends_at > now)
    rows = session.scalars(mine.order_by(Mandate.given_at.desc())).all()
    open_years = {year for year in {row.year for row in rows} if openings.takes_changes(session, year, now=now)}
    return [row for row in rows if row.year in open_years]


def ended_by_families(session: Session, *, by: Actor, now: dt.datetime) -> Sequence[Mandate]:
    """The mandates of this helper that a family has ended in the last days, the newest first."""
    theirs = select(Mandate).where(
        Mandate.helper_id == by.account_id,
        Mandate.ended_by == Mandate.account_id,
        Mandate.ended_at > now - ENDED_SHOWN,
    )
    return session.scalars(theirs.order_by(Mandate.ended_at.desc())).all()


def acting_for(session: Session, mandate_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Actor | None:
    """The actor of the helper who acts for this family; None if the mandate has ended or belongs to another helper."""
    mandate = session.get(Mandate, mandate_id)
    if mandate is None or mandate.helper_id != by.account_id or not by.is_any(Role.HELPER):
        return None
    if mandate.ended_at is not None or mandate.ends_at <= now:
        return None
    if not openings.takes_changes(session, mandate.year, now=now):
        return None
    account = session.get_one(Account, mandate.account_id)
    if account.disabled_at is not None:
        return None
    behalf = OnBehalf(mandate.helper_id, mandate.id, mandate.year, mandate.given_at)
    return Actor(mandate.account_id, by.name, frozenset({Role.HELPER}), on_behalf=behalf)


def go_on(session: Session, mandate_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Actor:
    """Continue with a family's application, with an audit entry.  Raises NotFound where `acting_for` gives None."""
    acting = acting_for(session, mandate_id, by=by, now=now)
    if acting is None:
        raise NotFound()
    audit.record(session, "act_for", "mandate", mandate_id, by=acting, now=now)
    return acting


def end(session: Session, mandate_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """End a mandate, as its guardian or its helper.  Repeating it changes nothing.  Raises NotFound for others."""
    require_oneself(by)
    mandate = session.get(Mandate, mandate_id, with_for_update=True)
    if mandate is None or by.account_id not in (mandate.account_id, mandate.helper_id):
        raise NotFound()
    _end(session, mandate, by=by, now=now)


def end_all(session: Session, *, by: Actor, now: dt.datetime) -> None:
    """End all mandates that the signed-in guardian has given."""
    require_oneself(by)
    for mandate in of_guardian(session, by=by):
        _end(session, mandate, by=by, now=now)


def of_guardian(session: Session, *, by: Actor) -> Sequence[Mandate]:
    """All mandates that the signed-in guardian has given, the newest first."""
    require_oneself(by)
    mine = select(Mandate).where(Mandate.account_id == by.account_id)
    return session.scalars(mine.order_by(Mandate.given_at.desc())).all()


def read_paper(session: Session, mandate_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> SafePage:
    """The signed paper, for its guardian, and for city officials and auditors, whose view is written to the audit."""
    require_oneself(by)
    mandate = session.get(Mandate, mandate_id)
    if mandate is None or mandate.paper is None:
        raise NotFound()
    if by.is_any(Role.CITY_OFFICIAL, Role.AUDITOR):
        audit.record(session, "view_evidence", "mandate", mandate_id, by=by, now=now)
    elif by.account_id != mandate.account_id:
        raise NotFound()
    return SafePage(mandate.paper_type or "", unseal_file(mandate.paper, PAPER_PURPOSE, mandate.id))


def acts_under(session: Session, mandate: Mandate) -> Sequence[AuditEntry]:
    """What the helper did for this guardian, the newest first."""
    acts = select(AuditEntry).where(
        AuditEntry.account_id == mandate.helper_id,
        AuditEntry.details["mandate"].astext == str(mandate.id),
    )
    return session.scalars(acts.order_by(AuditEntry.number.desc())).all()


def entered_under(session: Session, mandate: Mandate) -> Sequence[Application]:
    """The applications that this helper entered for this guardian this season."""
    mine = select(Application).where(
        Application.entered_by == mandate.helper_id,
        Application.entered_for == mandate.account_id,
        Application.year == mandate.year,
        Application.child_id.in_(applications.in_care_query(mandate.account_id)),
    )
    return session.scalars(mine.order_by(Application.created_at)).all()


def _give(session: Session, mandate: Mandate, terms: Terms, *, by: Actor, now: dt.datetime) -> Mandate:
    """Store the mandate, which replaces an earlier one, and its consents, and notify the guardian."""
    earlier = select(Mandate).where(
        Mandate.helper_id == mandate.helper_id,
        Mandate.account_id == mandate.account_id,
        Mandate.year == terms.year,
        Mandate.ended_at.is_(None),
    )
    for one in session.scalars(earlier.with_for_update()):
        one.ended_at, one.ended_by = now, mandate.helper_id
    session.flush()
    mandate.year = terms.year
    mandate.text_version, mandate.text_digest = terms.mandate.version, terms.mandate.digest
    mandate.given_at, mandate.ends_at = now, now + LONGEST
    session.add(mandate)
    session.flush()
    acting = acting_for(session, mandate.id, by=by, now=now)
    if acting is None:
        raise NotFound()
    audit.record(
        session,
        "give_mandate",
        "mandate",
        mandate.id,
        by=acting,
        now=now,
        way=mandate.way,
        version=mandate.text_version,
    )
    texts = {consents.CHILD_DATA: terms.child_data}
    texts |= {consents.KIND_OF[register]: text for register, text in terms.registers.items()}
    for kind, text in texts.items():
        consents.give(
            session, kind, text_version=text.version, text_digest=text.digest, by=acting, now=now, under=mandate.id
        )
    kind = f"mandate_by_{mandate.way}"
    if mandate.way == "paper" and not session.get_one(Account, mandate.account_id).phone:
        kind = "mandate_by_paper_without_phone"
    outbox.tell(session, kind, account_id=mandate.account_id, key=f"mandate:{mandate.id}", now=now, year=mandate.year)
    _tell_families(session, mandate, "mandate_given", by=acting, now=now)
    return mandate


def _end(session: Session, mandate: Mandate, *, by: Actor, now: dt.datetime) -> None:
    if mandate.ended_at is not None:
        return
    mandate.ended_at, mandate.ended_by = now, by.account_id
    audit.record(session, "end_mandate", "mandate", mandate.id, by=by, now=now)
    session.flush()
    _tell_families(session, mandate, "mandate_ended", by=by, now=now)
    _tell_of_drafts(session, mandate, by=by, now=now)


def _tell_of_drafts(session: Session, mandate: Mandate, *, by: Actor, now: dt.datetime) -> None:
    """What the helper began and did not hand in: the family may think that it is done."""
    for application in entered_under(session, mandate):
        open_round = deadlines.of(session, application, now=now).open
        if application.stage == Stage.DRAFT and open_round is not None:
            kind, until = "mandate_ended_draft", format_time(open_round.closes_at)
            notify_guardians(session, kind, [application.id], now=now, event=f"{kind}:{mandate.id}", until=until)


def _tell_families(session: Session, mandate: Mandate, kind: str, *, by: Actor, now: dt.datetime) -> None:
    """Notify every guardian of the children whose applications of the year the mandate covers."""
    theirs = (
        select(Application.id)
        .join(Guardianship, Guardianship.child_id == Application.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(
            Guardian.account_id == mandate.account_id,
            Guardianship.accepted_at.is_not(None),
            Application.year == mandate.year,
        )
    )
    ids = list(session.scalars(theirs.order_by(Application.id)))
    notify_guardians(session, kind, ids, now=now, by=by, event=f"{kind}:{mandate.id}")


def _asker(by: Actor) -> sign_in.Asker:
    """Rate limits count by the helper's account, not by computer or address."""
    return sign_in.Asker(browser=str(by.account_id), address=str(by.account_id))


def _bound_to(terms: Terms, by: Actor) -> str:
    return f"{by.account_id}:{terms.digest()}"


def _helper(by: Actor) -> uuid.UUID:
    """The helper's own account.  NotFound for other roles, and for a helper who is acting for a family."""
    if not by.is_any(Role.HELPER) or by.on_behalf is not None or by.account_id is None:
        raise NotFound()
    return by.account_id


def _require_a_season(session: Session, year: int, now: dt.datetime) -> None:
    if not openings.takes_changes(session, year, now=now):
        raise Refused("nothing_to_enter", year=year)
