"""Which account a person of the city's single sign-on opens.

A provider's word alone never opens an account that is there: it says who somebody is, not whose account this is.  A binding
is made with the account's own proof, which is a one-time code to its phone or a session in which somebody is signed in.  It
holds as long as the account has the phone that it had then: whoever held an earlier number has to prove the new one.

An account has one binding; a newer one takes its place, and the guardian is told.  The subject is kept as a blind index.
"""

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, LargeBinary, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor, Role, actor_of, require_oneself
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import tell
from enrollment.ground.sign_in import turn_of
from enrollment.ground.vault import blind_index

PURPOSE = "sign_on.subject"


class SignOnBinding(Base):
    """`subject_index` stands for issuer and subject; `phone_index` is that of the account when the binding was made."""

    __tablename__ = "sign_on_binding"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    subject_index: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    bound_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


def index_of(issuer: str, subject: str) -> bytes:
    return blind_index(f"{issuer}\n{subject}", PURPOSE)


def open_account(session: Session, subject_index: bytes, *, now: dt.datetime) -> Account | None:
    """The account that the subject opens; None without a binding that holds.  Notes the use."""
    found = _holding(session, subject_index)
    if found is None:
        return None
    binding, account = found
    binding.used_at = now
    session.flush()
    return account


def _holding(session: Session, subject_index: bytes) -> tuple[SignOnBinding, Account] | None:
    """The binding of a subject with its account, if the account has the same phone and a family can sign in with it."""
    held = (
        select(SignOnBinding, Account)
        .join(Account, Account.id == SignOnBinding.account_id)
        .where(SignOnBinding.subject_index == subject_index)
        .where(SignOnBinding.phone_index.is_not_distinct_from(Account.phone_index))
        .where(Account.disabled_at.is_(None), Account.login.is_(None))
    )
    row = session.execute(held).one_or_none()
    return None if row is None else (row[0], row[1])


def bind(session: Session, account_id: uuid.UUID, subject_index: bytes, *, now: dt.datetime) -> None:
    """Bind a subject to the account whose proof was just given.

    Refuses `sign_on_of_another_account` where the subject opens another account: its owner has to end that binding first.
    """
    account = session.get_one(Account, account_id, with_for_update=True)
    if account.login is not None or account.disabled_at is not None:
        raise NotFound
    session.execute(select(func.pg_advisory_xact_lock(turn_of(subject_index))))
    held = _holding(session, subject_index)
    if held is not None and held[1].id == account.id:
        return
    if held is not None:
        raise Refused("sign_on_of_another_account")
    gone = (SignOnBinding.subject_index == subject_index) | (SignOnBinding.account_id == account.id)
    session.execute(delete(SignOnBinding).where(gone).execution_options(synchronize_session="fetch"))
    session.add(
        SignOnBinding(account_id=account.id, subject_index=subject_index, phone_index=account.phone_index, bound_at=now)
    )
    by = actor_of(account)
    audit.record(session, "bind_sign_on", "account", account.id, by=by, now=now)
    tell(session, "sign_on_bound", account_id=account.id, key=f"sign_on_bound:{account.id}:{now.timestamp()}", now=now)
    session.flush()


def of_account(session: Session, account_id: uuid.UUID) -> SignOnBinding | None:
    """The binding of an account that still holds."""
    mine = select(SignOnBinding.subject_index).where(SignOnBinding.account_id == account_id)
    index = session.scalar(mine)
    held = _holding(session, index) if index is not None else None
    return held[0] if held else None


def unbind(session: Session, *, by: Actor, now: dt.datetime) -> None:
    """End the binding of the signed-in guardian; the account is opened by codes alone again."""
    require_oneself(by)
    if not by.is_any(Role.GUARDIAN):
        raise NotFound
    ended = delete(SignOnBinding).where(SignOnBinding.account_id == by.account_id).returning(SignOnBinding.account_id)
    if session.scalar(ended) is not None:
        audit.record(session, "unbind_sign_on", "account", by.account_id, by=by, now=now)
