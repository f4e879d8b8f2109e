"""Announcements: what officials write, who approves it, and what the public reads at a moment.

An area's official writes and publishes for the own areas; what concerns the whole city is published by a second city official.
What was public stays: a correction is a new version beside the earlier ones, a withdrawal says why.
"""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import or_, select, true
from sqlalchemy.orm import Session

from enrollment.announcements.rows import Announcement, AnnouncementVersion
from enrollment.ground import audit, signatures
from enrollment.ground.accounts import CITY, Actor, Role
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.reading.catalogue import Part

WRITERS = (Role.AREA_OFFICIAL, Role.CITY_OFFICIAL)
LONGEST_TITLE, LONGEST_BODY, LONGEST_REASON = 80, 4000, 300
FARTHEST = dt.timedelta(days=366)


@dataclass(frozen=True)
class Texts:
    """What an announcement says, in both languages."""

    title_zh: str
    title_en: str
    body_zh: str
    body_en: str


@dataclass(frozen=True)
class Told:
    """An announcement with its versions, the first one first."""

    announcement: Announcement
    versions: tuple[AnnouncementVersion, ...]

    @property
    def newest(self) -> AnnouncementVersion:
        return self.versions[-1]

    def public(self, now: dt.datetime) -> tuple[AnnouncementVersion, ...]:
        """The versions that are or were public at this time."""
        return tuple(each for each in self.versions if each.counts(now))

    def current(self, now: dt.datetime) -> AnnouncementVersion | None:
        return next(reversed(self.public(now)), None)

    def changed_at(self, now: dt.datetime) -> dt.datetime:
        """When the public last read something new of it."""
        moments = [each.public_from for each in self.public(now)] + [self.announcement.withdrawn_at]
        return max(filter(None, moments), default=self.announcement.made_at)


def _load(session: Session) -> tuple[Told, ...]:
    """All announcements with an approved version; their approved versions."""
    approved = select(AnnouncementVersion).where(AnnouncementVersion.approved_at.is_not(None))
    versions: dict[uuid.UUID, list[AnnouncementVersion]] = {}
    for version in session.scalars(approved.order_by(AnnouncementVersion.number)):
        versions.setdefault(version.announcement_id, []).append(version)
    found = session.scalars(select(Announcement).where(Announcement.id.in_(versions)))
    return tuple(Told(each, tuple(versions[each.id])) for each in found)


PART = Part("announcements", ("announcement", "announcement_version"), _load)


def published(
    session: Session, *, now: dt.datetime, areas: Collection[str] | None = None, withdrawn: bool = False
) -> list[Told]:
    """What is public, the newest first: of the city and of `areas` (None: of all).  With `withdrawn` also what was public."""
    all_of_them = PART.of(session)
    if all_of_them is None:
        all_of_them = _load(session)
    found = [
        each
        for each in all_of_them
        if each.current(now) is not None
        and (withdrawn or each.announcement.withdrawn_at is None)
        and (areas is None or each.announcement.area_code is None or each.announcement.area_code in areas)
    ]
    return sorted(found, key=lambda each: (each.changed_at(now), str(each.announcement.id)), reverse=True)


def public_one(session: Session, announcement_id: uuid.UUID, *, now: dt.datetime) -> Told:
    """One that is or was public.  NotFound otherwise, so that nobody learns of a text before its hour."""
    found = published(session, now=now, withdrawn=True)
    told = next((each for each in found if each.announcement.id == announcement_id), None)
    if told is None:
        raise NotFound
    return told


def of_desk(session: Session, *, by: Actor) -> list[Told]:
    """What an official may read: all of the city, and of the own areas; the newest first."""
    wide = by.is_any(Role.CITY_OFFICIAL, Role.AUDITOR)
    here = true() if wide else or_(Announcement.area_code.is_(None), Announcement.area_code.in_(by.areas))
    found = session.scalars(select(Announcement).where(here).order_by(Announcement.made_at.desc(), Announcement.id))
    return [_told(session, each) for each in found]


def one_of_desk(session: Session, announcement_id: uuid.UUID, *, by: Actor) -> Told:
    found = next((each for each in of_desk(session, by=by) if each.announcement.id == announcement_id), None)
    if found is None:
        raise NotFound
    return found


def _told(session: Session, announcement: Announcement) -> Told:
    mine = select(AnnouncementVersion).where(AnnouncementVersion.announcement_id == announcement.id)
    return Told(announcement, tuple(session.scalars(mine.order_by(AnnouncementVersion.number))))


def may_write(by: Actor, area_code: str | None) -> bool:
    return by.is_any(Role.CITY_OFFICIAL) or (area_code is not None and area_code in by.areas)


def may_approve(by: Actor, version: AnnouncementVersion, area_code: str | None) -> bool:
    """Whether this official publishes the version: for the whole city another one than wrote it."""
    if version.approved_at is not None or not may_write(by, area_code):
        return False
    return not version.city_wide or version.written_by != by.account_id


def write(
    session: Session, area_code: str | None, texts: Texts, publish_at: dt.datetime, *, by: Actor, now: dt.datetime
) -> uuid.UUID:
    """A new announcement, public after `approve`.  Refuses what `_refuse_unfit` refuses."""
    if not may_write(by, area_code):
        raise NotFound
    announcement = Announcement(id=uuid.uuid4(), area_code=area_code, made_at=now)
    session.add(announcement)
    session.flush()
    _add_version(session, announcement, 1, texts, publish_at, by=by, now=now)
    return announcement.id


def correct(
    session: Session,
    announcement_id: uuid.UUID,
    based_on: int,
    texts: Texts,
    publish_at: dt.datetime,
    *,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Another version.  Refuses `announcement_changed` if there is a newer one than `based_on`, `announcement_over`."""
    told = _locked(session, announcement_id, by=by)
    if told.newest.number != based_on:
        raise Refused("announcement_changed")
    _add_version(session, told.announcement, based_on + 1, texts, publish_at, by=by, now=now)


def _add_version(
    session: Session,
    announcement: Announcement,
    number: int,
    texts: Texts,
    publish_at: dt.datetime,
    *,
    by: Actor,
    now: dt.datetime,
) -> None:
    if publish_at > now + FARTHEST:
        raise Refused("announcement_too_far", field="publish_at")
    session.add(
        AnnouncementVersion(
            announcement_id=announcement.id,
            number=number,
            city_wide=announcement.area_code is None,
            title_zh=texts.title_zh,
            title_en=texts.title_en,
            body_zh=texts.body_zh,
            body_en=texts.body_en,
            publish_at=publish_at,
            written_by=by.account_id,
            written_at=now,
        )
    )
    audit.record(session, "write_announcement", "announcement", announcement.id, by=by, now=now, number=number)
    session.flush()


def approve(session: Session, announcement_id: uuid.UUID, number: int, *, by: Actor, now: dt.datetime) -> None:
    """Publish the newest version at its hour.

    Refuses `announcement_changed` if it is not the newest or is approved, `second_person_needed`, `announcement_over`, and for the
    whole city `first_person_left`: then another version is written.
    """
    told = _locked(session, announcement_id, by=by)
    version = told.newest
    if version.number != number or version.approved_at is not None:
        raise Refused("announcement_changed")
    if not may_approve(by, version, told.announcement.area_code):
        raise Refused("second_person_needed")
    if version.city_wide:
        signatures.require_first_person(session, version.written_by, CITY)
    version.approved_by, version.approved_at = by.account_id, now
    audit.record(session, "publish_announcement", "announcement", announcement_id, by=by, now=now, number=number)
    session.flush()


def withdraw(session: Session, announcement_id: uuid.UUID, reason: str, *, by: Actor, now: dt.datetime) -> None:
    """Take it from the lists at once; its address says why.  Refuses `say_why`, `announcement_over`."""
    told = _locked(session, announcement_id, by=by)
    why = reason.strip()[:LONGEST_REASON]
    if not why:
        raise Refused("say_why", field="reason")
    found = told.announcement
    found.withdrawn_at, found.withdrawn_by, found.withdraw_reason = now, by.account_id, why
    audit.record(session, "withdraw_announcement", "announcement", announcement_id, by=by, now=now, reason=why)
    session.flush()


def _locked(session: Session, announcement_id: uuid.UUID, *, by: Actor) -> Told:
    """An announcement that this official may change, locked.  Refuses `announcement_over` for a withdrawn one."""
    asked = select(Announcement).where(Announcement.id == announcement_id).with_for_update()
    found = session.scalars(asked.execution_options(populate_existing=True)).one_or_none()
    if found is None or not may_write(by, found.area_code):
        raise NotFound
    if found.withdrawn_at is not None:
        raise Refused("announcement_over")
    return _told(session, found)
