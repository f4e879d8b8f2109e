"""The texts that a kindergarten can send: the common ones, and its own, which only its head writes."""

import datetime as dt
import re
import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.family_messages.rows import MessageTemplate
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import NotFound, Refused
from enrollment.places import scope

COMMON = ("bring_originals", "please_call", "read_messages")
"""Codes of the texts that every kindergarten has; their words are in the groups `family_template` and
`family_template_name`."""

LONGEST_NAME = 20
LONGEST_TEXT = {"zh": 200, "en": 400}
MOST = 20
LINK = re.compile(r"://|\bwww\.|[a-z0-9-]\.[a-z]{2,}\b", re.IGNORECASE)


def own(session: Session, kindergarten_id: uuid.UUID, *, by: Actor) -> Sequence[MessageTemplate]:
    """The kindergarten's own texts in use, by name."""
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    found = select(MessageTemplate).where(
        MessageTemplate.kindergarten_id == kindergarten_id, MessageTemplate.retired_at.is_(None)
    )
    return session.scalars(found.order_by(MessageTemplate.name, MessageTemplate.id)).all()


def add(
    session: Session, kindergarten_id: uuid.UUID, *, name: str, text_zh: str, text_en: str, by: Actor, now: dt.datetime
) -> MessageTemplate:
    """Add a text.  Plain sentences in both languages: an address of a page is refused (`message_with_link`), because a
    text message with one looks like those of swindlers.  Only a head may (`head_only`)."""
    _head_of(session, kindergarten_id, by=by)
    if not name.strip():
        raise Refused("message_name_needed", field="name")
    texts = {"zh": " ".join(text_zh.split()), "en": " ".join(text_en.split())}
    for language, text in texts.items():
        if not text:
            raise Refused("message_text_needed", field=f"text_{language}")
        if len(text) > LONGEST_TEXT[language]:
            raise Refused("message_too_long", field=f"text_{language}", n=LONGEST_TEXT[language])
        if LINK.search(text):
            raise Refused("message_with_link", field=f"text_{language}")
    if len(own(session, kindergarten_id, by=by)) >= MOST:
        raise Refused("many_templates", n=MOST)
    template = MessageTemplate(
        kindergarten_id=kindergarten_id, name=name.strip()[:LONGEST_NAME], text_zh=texts["zh"], text_en=texts["en"],
        made_by=by.account_id, made_at=now,
    )  # fmt: skip
    session.add(template)
    session.flush()
    audit.record(session, "add_message_template", "message_template", template.id, by=by, now=now)
    return template


def retire(session: Session, template_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Take a text out of use; messages that were sent with it keep it."""
    template = session.get(MessageTemplate, template_id)
    if template is None:
        raise NotFound("message_template")
    _head_of(session, template.kindergarten_id, by=by)
    if template.retired_at is None:
        template.retired_at = now
        session.flush()
        audit.record(session, "retire_message_template", "message_template", template.id, by=by, now=now)


def _head_of(session: Session, kindergarten_id: uuid.UUID, *, by: Actor) -> None:
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    if not by.is_any(Role.HEAD):
        raise Refused("head_only")
