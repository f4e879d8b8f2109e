"""Names, numbers, phones and addresses of canary persons: in no column that is not sealed, in no log, on no foreign page."""

import datetime as dt

import pytest
from sqlalchemy import text

from portal.web.guards import guard_of
from portal.web.logs import fault_trace
from tests.attacks.test_odd_input import addresses_of
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in
from tests.support.town_families import id_number

CHILD, PARENT, OTHER = "金丝雀孩", "金丝雀", "黄鹂鸟"
HOME = "金丝雀巷 77 号 7 栋 7 单元"
PHONE, OTHER_PHONE = "13800077777", "13800088888"
NUMBER = id_number(dt.date(2022, 11, 11), region="510199")
CANARIES = (CHILD, f"{PARENT}家长", HOME, PHONE, OTHER_PHONE, NUMBER)


@prepared
def canaries(town):
    """A family that went the whole way, from the code to the offer."""
    garden = town.kindergarten("锦官园", places=2)
    town.kindergarten("别家园", area="510105", places=2)
    family = town.family(PARENT, phone=PHONE, home_address=HOME)
    born = dt.date(2022, 11, 11)
    bird = town.child(CHILD, family=family, born=born, number=NUMBER, wishes=[garden], grounds={"multi_child": 2})
    town.second_guardian(bird, OTHER)
    town.child("路人", family=town.family("路人"), submit=False)
    town.clerk_sends_back(bird, "hukou_booklet")
    town.submit(bird)
    town.drawn(bird)
    return bird


def test_no_column_that_is_not_sealed_holds_a_canary(town, canaries, portal_session):
    portal_session.commit()
    columns = portal_session.execute(
        text(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name <> 'alembic_version'"
        )
    ).all()
    found = []
    for table, column in columns:
        plain = f'"{column}"::text'
        for canary in CANARIES:
            hexed = canary.encode().hex()
            seen = text(f'SELECT count(*) FROM "{table}" WHERE {plain} LIKE :c OR {plain} LIKE :h')
            if portal_session.scalar(seen, {"c": f"%{canary}%", "h": f"%{hexed}%"}):
                found.append((table, column, canary))
    assert found == []


def test_no_page_of_anybody_else_shows_a_canary(app, client, town, canaries, portal_session):
    """The public, another family, a clerk and a head elsewhere, an official of another area; what is theirs and what is not."""
    elsewhere = town.kindergartens_by_name("别家园")[0]
    stranger = next(one for one in town.everybody() if one.id != canaries.id)
    strangers = {
        None: None,
        "parents": stranger.entered_by,
        "staff": town.head_of(elsewhere).account_id,
        "officials": town.area_official("510105").account_id,
        "helpers": town.helper().account_id,
    }
    offer = town.offer_for(canaries)
    own = {"application_id": str(canaries.id), "offer_id": str(offer.id), "round_id": str(town.the_round.id)}
    own |= {"run_id": str(offer.run_id), "kindergarten_id": str(elsewhere.id), "area": "510105", "number": "1"}
    shown = []
    for desk, account in strangers.items():
        client.delete_cookie("session", domain="localhost")
        if account:
            sign_in(client, account)
        for path, methods in addresses_of(app, desk, own):
            if "GET" not in methods or path.startswith("/demo"):
                continue
            answer = client.get(path, inspect=False)
            body = answer.get_data(as_text=False)
            shown += [(path, canary) for canary in CANARIES if canary.encode() in body]
            if desk and ("application_id" in own and own["application_id"] in path):
                assert answer.status_code == 404, (desk, path, answer.status_code)
    assert shown == []
    assert guard_of(app, "public.home").desk is None


def test_the_public_file_of_the_draw_holds_nothing_of_a_child(client, town, canaries):
    import io
    import zipfile

    content = client.get(f"/draws/{town.the_round.id}/public.zip").data
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert everything
    secret = (*CANARIES, canaries.registration_code, str(canaries.id), str(canaries.child_id))
    secret += (canaries.child_code, canaries.family_code)  # nor the codes of the full file
    assert [one for one in secret if one.encode() in everything] == []


def test_the_way_of_a_fault_holds_no_value():
    def inner(name):
        raise ValueError(f"{name} is odd")

    try:
        try:
            inner(CHILD)
        except ValueError as fault:
            raise KeyError(PHONE) from fault
    except KeyError as fault:
        told = "\n".join(fault_trace(fault))
    assert "KeyError" in told
    assert "ValueError" in told
    assert CHILD not in told
    assert PHONE not in told


def test_a_fault_of_the_database_is_told_without_the_values(portal_session):
    from sqlalchemy.exc import DBAPIError

    with pytest.raises(DBAPIError) as fault:
        portal_session.execute(text("SELECT CAST(:name AS integer) + 1 FROM nowhere"), {"name": CHILD})
    portal_session.rollback()
    assert CHILD not in str(fault.value)
