"""Text messages to phone numbers: the codes and warnings of a phone change, and invitations."""

import datetime as dt
import uuid
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.guardian_access import access_code_proofs, phone_change_course, phone_changes
from enrollment.applications.guardian_access.phone_change_course import EndedChange
from enrollment.applications.guardian_access.phone_changes import Codes
from enrollment.delivery import code_messages
from enrollment.ground import outbox, sign_in
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.city_time import format_time
from enrollment.ground.outbox import TextMessage
from enrollment.ground.phones import parse_phone
from enrollment.people import invitations
from enrollment.people.desk_rows import PhoneChange, PhoneChangeOutcome
from enrollment.people.invitations import Invitation
from portal.text.formats import moment
from portal.text.messages import signed, text_words
from portal.web.unit_of_work import clock, services


def send_codes(session: Session, codes: Codes, new_phone: str, old_phone: str | None) -> None:
    """One message for each number that gets a code."""
    for kind, code, phone, purpose in (
        ("new_phone_code", codes.new, new_phone, phone_changes.NEW_PHONE),
        ("old_phone_code", codes.old, old_phone, phone_changes.OLD_PHONE),
    ):
        if code is not None:
            _send_code(session, kind, code, phone, purpose)


def send_access_code_proof(session: Session, code: str, phone: str | None) -> None:
    """The code that the guardian reads out at a desk before an access code is printed."""
    _send_code(session, "access_code_proof", code, phone, access_code_proofs.OWN_PHONE)


def _send_code(session: Session, kind: str, code: str, phone: str | None, purpose: str) -> None:
    if phone and services().config.can_text(phone):
        body = _signed(kind, code=code, minutes=sign_in.CODE_LIFETIME.seconds // 60)
        code_messages.write(session, phone, body, purpose=purpose, key=f"phone_code:{uuid.uuid4()}", now=clock())


def send_invitation(session: Session, invitation: Invitation, phone: str) -> None:
    """Tell a phone without an account that it was invited, without a name; an account is told by a notice."""
    number = parse_phone(phone)
    if not services().config.can_text(number) or not invitations.needs_text_message(session, invitation, now=clock()):
        return
    key = f"invited:{invitation.id}:{invitation.made_at.timestamp()}"
    if session.scalar(select(TextMessage.id).where(TextMessage.key == key)) is not None:
        return  # the same button twice
    body = _signed("invited", address=services().config.public_url, when=format_time(invitation.expires_at))
    outbox.add_text_message(session, number, body, key=key, now=clock())


def warn_old_phone(session: Session, change: PhoneChange, old_phone: str | None, token: str) -> None:
    """Tell the old number how to stop the change, until when."""
    if not old_phone or change.effective_at is None:
        return
    address = f"{services().config.public_url}/phone-change/{token}"
    language = session.get_one(Account, change.account_id).language
    when = format_time(change.effective_at)
    body = _signed("phone_change_warning", in_language=language, when=when, address=address)
    outbox.add_text_message(session, old_phone, body, key=f"phone_change:{change.id}:warning", now=clock())


def end_waiting_times(session: Session, *, now: dt.datetime) -> int:
    """Put the changes into effect whose waiting time is over, and tell the old numbers; how many."""
    ended = phone_change_course.end_waiting_times(session, now=now)
    for each in ended:
        tell_old_phone(session, each)
    return len(ended)


def confirm_at_desk(session: Session, change_id: uuid.UUID, *, by: Actor) -> PhoneChange:
    """The second person confirms: the change takes effect, or the old number is warned and can stop it, or it had ended."""
    change = phone_changes.confirm_at_desk(session, change_id, by=by, now=clock())
    if change.ended_at is not None or change.confirmed_at != clock():
        return change
    ended = phone_change_course.take_effect_now(session, change, by=by, now=clock())
    if ended is not None:
        tell_old_phone(session, ended)
    elif change.ended_at is None:
        old_phone = session.get_one(Account, change.account_id).phone
        warn_old_phone(session, change, old_phone, phone_change_course.new_stop_token(session, change))
    return change


def outcome_words(change: PhoneChange) -> tuple[str, str]:
    """What became of a change that somebody has just confirmed, as a flash with its category."""
    match change.outcome:
        case None:
            when = moment(change.effective_at or clock())
            said = _("已确认，%(when)s 生效。旧号码会收到短信；孩子的每位监护人也会收到消息。", when=when)
            return said, "message"
        case PhoneChangeOutcome.DONE:
            return _("已更换。旧号码会收到短信；孩子的每位监护人也会收到消息。"), "message"
        case PhoneChangeOutcome.TAKEN:
            return _("没有更换：新号码已经用于另一个账户。请告诉监护人，换一个号码再办理。"), "warn"
        case _:
            return _("没有更换：这个请求已经停止、失效或没有确认。"), "warn"


def refusal_words(refused: bool) -> tuple[str, str]:
    if refused:
        return _("没有确认，号码不变。孩子的每位监护人会收到消息。"), "message"
    return _("这个请求已经确认或结束，没有改变。"), "warn"


def tell_old_phone(session: Session, ended: EndedChange) -> None:
    """The old number no longer signs in."""
    if ended.old_phone:
        body = _signed("phone_changed_away", in_language=session.get_one(Account, ended.change.account_id).language)
        key = f"phone_change:{ended.change.id}:away"
        outbox.add_text_message(session, ended.old_phone, body, key=key, now=ended.change.ended_at or clock())


def _signed(code: str, /, *, in_language: str | None = None, **params: Any) -> str:
    """The whole text, with the sender; in the page's language unless another one is given."""
    return signed(text_words(code, in_language=in_language, **params), services().config, in_language=in_language)
