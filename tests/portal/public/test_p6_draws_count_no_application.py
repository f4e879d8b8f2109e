"""P6: the lists of draws cost the same in a town and in a city."""

import pytest
from sqlalchemy import Engine, event

from tests.support.signing_in import sign_in

COUNTED = ("FROM application", "FROM offer", "FROM ticket", "FROM duplicate_hint")


@pytest.fixture
def statements():
    heard = []

    def hear(_connection, _cursor, statement, *_more):
        heard.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    yield heard
    event.remove(Engine, "before_cursor_execute", hear)


@pytest.mark.parametrize("reader", ["public", "official"])
def test_p6_a_list_of_draws_counts_no_applications_offers_or_tickets(client, town, statements, reader, frozen_clock):
    garden = town.kindergarten("金苹果", places=1)
    town.drawn(*(town.child(name, wishes=[garden]) for name in ("安娜", "本本")))
    town.session.commit()
    frozen_clock.set(town.now)
    address = "/draws"
    if reader == "official":
        sign_in(client, town.city_pair()[0].account_id)
        address = "/officials/2026/draws"
    statements.clear()
    assert client.get(address).status_code == 200
    counting = [each for each in statements if "count(" in each and any(table in each for table in COUNTED)]
    assert counting == []
