"""A colleague loses the role with which something is decided, and stays with another one."""

from enrollment.ground.accounts import Account, Actor, Role, RoleGrant
from enrollment.staff_accounts import changes


def loses_the_role(town, person: Actor) -> Actor:
    """Every role of this person is taken away but a new one as an auditor: the account stays enabled."""
    account = town.session.get_one(Account, person.account_id)
    taken = [grant.id for grant in account.grants]
    account.grants.append(RoleGrant(role=Role.AUDITOR))
    town.session.flush()
    boss, _another = town.city_official(), town.city_official()
    for grant_id in taken:
        changes.take_role(town.session, account.id, grant_id, by=boss, now=town.now)
    return person
