"""Receipts: what was handed in, when, its digest, and what changed since the previous version."""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from enrollment.applications import contents
from enrollment.applications.application_rows import LAST_VERSION, VERSIONS, VersionWay
from enrollment.applications.applications import Application, ApplicationVersion
from enrollment.applications.contents import Answers
from enrollment.applications.notifications import notify_guardians, notify_guardians_together
from enrollment.ground import outbox
from enrollment.ground.accounts import Account, Actor, Role
from enrollment.ground.city_time import format_time
from enrollment.ground.errors import NotFound

CHANGED = "application_changed"
"""The message about a receipt after the first one, which the guardian of the family wrote."""


@dataclass(frozen=True)
class Receipt:
    """A receipt.  `number` counts the versions from 1; `changed` are the codes of `contents.changed`, empty for the first.

    `helper` is the name of the community helper who entered it; None if the family did.  `corrected`: the version was
    written by a decided correction.
    """

    application_id: uuid.UUID
    registration_code: str
    number: int
    digest: str
    changed: tuple[str, ...]
    submitted_at: dt.datetime
    helper: str | None = None
    corrected: bool = False


@dataclass(frozen=True)
class Comparison:
    """`before` is the version handed in last, if any; `said` are the current answers, and `text` their canonical JSON."""

    before: ApplicationVersion | None
    said: Answers
    text: str

    @cached_property
    def said_before(self) -> Answers:
        """The answers of the version handed in last; none before the first one."""
        return json.loads(self.before.answers) if self.before else {}

    @cached_property
    def changed(self) -> list[str]:
        """The codes of what differs; before the first version, every part."""
        return contents.changed(self.said_before, self.said) if self.before else sorted(self.said)


def latest(session: Session, application: Application) -> Receipt | None:
    """The newest receipt, or None for a draft that was never handed in."""
    version = _latest(session, application.id)
    return _receipt(session, application, version) if version else None


def all_of(session: Session, application: Application) -> list[Receipt]:
    """Every receipt, newest first."""
    rows = sorted(VERSIONS.of(session, application.id), key=lambda each: each.number, reverse=True)
    return [_receipt(session, application, version) for version in rows]


def numbered(session: Session, application: Application, number: int) -> Receipt:
    """One receipt.  The caller has checked that the reader may see the application."""
    version = session.get(ApplicationVersion, (application.id, number))
    if version is None:
        raise NotFound()
    return _receipt(session, application, version)


def answers_in(session: Session, application: Application, number: int) -> Answers:
    """The answers that were handed in with version `number`."""
    version = session.get(ApplicationVersion, (application.id, number))
    if version is None:
        raise NotFound()
    return json.loads(version.answers)


def answers_handed_in_last(session: Session, application: Application) -> Answers | None:
    """The answers of the newest version; None for a draft that was never handed in."""
    version = _latest(session, application.id)
    return None if version is None else json.loads(version.answers)


def bound_when_handed_in(session: Session, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these applications were bound to other children when they were handed in last."""
    newest = (
        select(Application.id, Application.child_code, ApplicationVersion.answers)
        .join(ApplicationVersion, ApplicationVersion.application_id == Application.id)
        .where(Application.id.in_(ids))
        .ext(distinct_on(Application.id))
        .order_by(Application.id, ApplicationVersion.number.desc())
    )
    return {
        row.id
        for row in session.execute(newest)
        if set(json.loads(row.answers).get("bound_with") or ()) - {row.child_code}
    }


def compare(session: Session, application: Application) -> Comparison:
    """Compare the current answers with those handed in last."""
    text = contents.as_text(contents.gather(session, application))
    return Comparison(_latest(session, application.id), json.loads(text), text)


def write(
    session: Session, application: Application, comparison: Comparison, *, by: Actor, now: dt.datetime
) -> Receipt:
    """Add the compared answers as the next version; the caller notifies the guardians, with `tell` or another message.

    The caller holds the application's lock and has changed no answer since it compared.
    """
    version = next_version(application, comparison, by=by, now=now)
    session.add(version)
    session.flush()
    return _receipt(session, application, version)


def next_version(
    application: Application, comparison: Comparison, *, by: Actor, now: dt.datetime
) -> ApplicationVersion:
    """The version that the compared answers become, which nobody has stored yet."""
    before = comparison.before
    return ApplicationVersion(
        application_id=application.id,
        number=before.number + 1 if before else 1,
        answers=comparison.text,
        digest=contents.digest_of_text(comparison.text),
        changed=comparison.changed if before else [],
        submitted_at=now,
        submitted_by=by.acting_account_id,
        way=_way(by),
    )


def tell(
    session: Session,
    written: Sequence[Receipt],
    *,
    closes_at: dt.datetime | None = None,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Notify every guardian of the receipts of one act: one message, also if the act changed several bound children.

    `closes_at` is the end of the open registration, until which the message about a first submission allows changes."""
    by_helper = "_by_helper" if by.on_behalf else ""
    if len(written) > 1:
        ids = [receipt.application_id for receipt in written]
        event = f"receipts:{ids[0]}:{written[0].number}"
        notify_guardians_together(session, f"bond_changed{by_helper}", ids, now=now, by=by, event=event)
        _after_the_quiet_time(session, f"bond_changed{by_helper}", ids, now=now)
        return
    for receipt in written:
        params = {"code": receipt.registration_code, "number": receipt.number}
        if receipt.number == 1 and closes_at is not None:
            params["changes_until"] = format_time(closes_at)
        kind = (CHANGED if receipt.number > 1 else "application_submitted") + by_helper
        notify_guardians(
            session,
            kind,
            [receipt.application_id],
            now=now,
            by=by,
            event=event_of(receipt.number),
            **params,
        )
        _after_the_quiet_time(session, kind, [receipt.application_id], now=now)


def event_of(number: int) -> str:
    """The key of the message about the receipt with this number."""
    return f"receipt:{number}"


def _after_the_quiet_time(
    session: Session, kind: str, application_ids: Sequence[uuid.UUID], *, now: dt.datetime
) -> None:
    """Several edits after one another give one message; one by a helper is told at once."""
    if kind in outbox.QUIET_KINDS:
        outbox.replace_earlier(session, kind, application_ids, now=now)


def _latest(session: Session, application_id: uuid.UUID) -> ApplicationVersion | None:
    known = LAST_VERSION.ahead(session, application_id)
    if known is not None:
        return known[0] if known else None
    newest = select(ApplicationVersion).where(ApplicationVersion.application_id == application_id)
    return session.scalars(newest.order_by(ApplicationVersion.number.desc()).limit(1)).first()


def _receipt(session: Session, application: Application, version: ApplicationVersion) -> Receipt:
    by_helper = version.way == VersionWay.HELPER
    return Receipt(
        application_id=application.id,
        registration_code=application.registration_code or "",
        number=version.number,
        digest=version.digest,
        changed=tuple(version.changed),
        submitted_at=version.submitted_at,
        helper=session.get_one(Account, version.submitted_by).name if by_helper else None,
        corrected=version.way == VersionWay.CORRECTION,
    )


def _way(by: Actor) -> VersionWay:
    if by.on_behalf is not None:
        return VersionWay.HELPER
    return VersionWay.FAMILY if by.is_any(Role.GUARDIAN) else VersionWay.CORRECTION
