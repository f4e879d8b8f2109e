"""What the desk of a kindergarten reads of a family that it has to contact, and in whose name it writes to it."""

from dataclasses import replace

from enrollment.offers import desk_contacts
from tests.support.prepared import prepared


@prepared
def returned(town):
    """A family without a phone, sent back by the kindergarten of its first wish; the helper entered two wishes."""
    town.first, town.second = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=1)
    town.elsewhere = town.kindergarten("百花", places=1)
    town.open_registration()
    helper = town.helper()
    mandate = town.mandate_on_paper(helper, "")
    town.baby = town.helper_enters(town.acting(helper, mandate), wishes=[town.first, town.second])
    town.clerk_sends_back(town.baby, "home_area")
    return town


def test_only_the_reviewing_kindergarten_and_its_area_read_what_is_to_be_completed(returned):
    town = returned
    for by, items, hidden in (
        (town.clerk_of(town.first), 1, 0),
        (town.area_official(town.first.area_code), 1, 0),
        (town.clerk_of(town.second), 0, 1),
    ):
        family = desk_contacts.family_to_contact(town.session, town.baby, by=by, now=town.now)
        assert (len(family.items), family.hidden_items) == (items, hidden)
        assert "review_returned" in dict(family.says)


def test_a_clerk_of_two_kindergartens_writes_in_the_name_of_the_one_that_the_family_knows(returned):
    town = returned
    clerk = town.clerk_of(town.second)
    both = replace(clerk, kindergartens=frozenset({town.elsewhere.id, town.second.id}))
    assert desk_contacts.sender(town.session, town.baby, by=both) == town.second
    reviewing = replace(clerk, kindergartens=frozenset({town.second.id, town.first.id}))
    assert desk_contacts.sender(town.session, town.baby, by=reviewing) == town.first
    assert desk_contacts.sender(town.session, town.baby, by=town.clerk_of(town.elsewhere)) is None
