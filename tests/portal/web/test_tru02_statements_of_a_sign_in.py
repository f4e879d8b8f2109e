"""How many statements a family's sign-in takes: the session, the lock of the phone, the act, and the session again."""

from sqlalchemy import select

from enrollment.ground.outbox import TextMessage
from tests.support.signing_in import hidden_fields
from tests.support.statements import counted

MOST = 4


def test_TRU02_a_code_is_asked_for_and_entered_in_four_statements_each(client, town):
    phone = town.family("李").phone.removeprefix("+86")
    form = hidden_fields(client.get("/sign-in").text) | {"phone": phone}
    with counted(town.session) as asked:
        assert client.post("/sign-in", data=form).headers["Location"] == "/sign-in/code"
    assert len(asked) <= MOST, asked
    form = hidden_fields(client.get("/sign-in/code").text)
    body = town.session.scalars(select(TextMessage)).one().body
    form["code"] = "".join(character for character in body if character.isdigit())[:6]
    with counted(town.session) as entered:
        answer = client.post("/sign-in/code", data=form)
    assert answer.headers["Location"] == "/parents"
    assert len(entered) <= MOST, entered
    assert client.get("/parents").status_code == 200
