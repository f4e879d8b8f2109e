"""The message of a code that `sign_in.send_code` made: `code_statements` writes those of a sign-in in one statement.

A code has the id of its message, so that what still waits of an asker's earlier codes can be found and withheld.
"""

import datetime as dt

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from enrollment.ground.outbox import MessageState, TextMessage
from enrollment.ground.phones import phone_index
from enrollment.ground.sign_in import CODE_LIFETIME, OneTimeCode


def write(session: Session, to: str, body: str, *, purpose: str, key: str, now: dt.datetime) -> None:
    """Write the message of the code that was made for this phone and purpose at this moment.

    The earlier codes of the same asker, of which none is good any more, are not sent, unless a sender holds them already.
    """
    of_phone = OneTimeCode.phone_index == phone_index(to, purpose)
    written = select(TextMessage.id).where(TextMessage.id == OneTimeCode.id).exists()
    made = select(OneTimeCode).where(of_phone, OneTimeCode.sent_at == now, ~written)
    code = session.scalars(made.limit(1)).one()
    # by the ids of this phone's codes, which are few, and without a state: a join may begin with all messages that wait, and a
    # slow gateway has many
    before = session.scalars(
        select(OneTimeCode.id).where(of_phone, OneTimeCode.browser == code.browser, OneTimeCode.expires_at > now)
    ).all()
    locked = select(TextMessage.id, TextMessage.state, TextMessage.expires_at).where(TextMessage.id.in_(before))
    earlier = locked.with_for_update(skip_locked=True).cte("earlier")
    withheld = update(TextMessage).where(
        TextMessage.id == earlier.c.id, earlier.c.state == MessageState.WAITING, earlier.c.expires_at > now
    )
    session.execute(withheld.values(state=MessageState.WITHHELD).execution_options(synchronize_session=False))
    session.add(TextMessage(id=code.id, key=key, to=to, body=body, written_at=now, expires_at=now + CODE_LIFETIME))
    session.flush()
