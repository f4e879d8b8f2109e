"""Whether the number of the family's account receives messages, for the pages that tell it."""

import datetime as dt

from enrollment.delivery import unreachable_numbers
from enrollment.ground.accounts import Account
from enrollment.ground.phones import mask_phone
from portal.web.unit_of_work import account_id, db


def unreachable_number() -> tuple[str, str, dt.datetime] | None:
    """The masked number, the code of the reason, and since when; None if nothing is known against the number."""
    account = db().get_one(Account, account_id())
    found = unreachable_numbers.of_account(db(), account)
    return (mask_phone(account.phone or ""), found.reason, found.since) if found is not None else None
