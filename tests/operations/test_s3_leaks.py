"""S3: the search for readable persons finds one that is planted in a table, in the queue, in its compressed arguments or in a log."""

import zlib

import pytest
import valkey
from sqlalchemy import text

from tests.support import leaks
from tests.support.leaks import Persons

NAME, PHONE, NUMBER = "金丝雀", "13800077777", "510104202211110013"
PERSONS = Persons({NAME}, {PHONE.encode()}, {NUMBER.encode()})


@pytest.mark.parametrize(
    "content",
    [
        f"no fault: {PHONE}",
        f"[{NUMBER}]",
        f"孩子{NAME}的申请",
        f"\x00\x07{NAME}\x00",
        f'{{"to": "86{PHONE}"}}',
        f"2026{NUMBER}7",
    ],
)
def test_s3_a_person_is_found_in_any_text(content):
    assert len(PERSONS.in_bytes(content.encode())) == 1


@pytest.mark.parametrize("content", ["金丝", "丝雀金", "1380007777", "51010420221111001", "138 0007 7777"])
def test_s3_what_is_nobody_is_not_found(content):
    assert PERSONS.in_bytes(content.encode()) == set()


def test_s3_a_person_is_found_in_every_place(town, tmp_path, addresses, worker_number):
    town.kindergarten(f"{NAME}幼儿园", places=1)
    town.session.commit()
    assert {
        place for place, content in leaks.tables(town.session.connection()) if NAME in PERSONS.in_bytes(content)
    } >= {"table kindergarten"}
    queue = addresses.queue(1 + worker_number % 15)
    server = valkey.Valkey.from_url(queue)
    server.hset("rq:job:s3", mapping={"data": zlib.compress(PHONE.encode())})
    server.rpush("rq:queue:s3", NUMBER)
    try:
        found = {place: PERSONS.in_bytes(content) for place, content in leaks.queue_values(queue)}
        told = [each for place, here in found.items() if place.endswith("s3") for each in here]
        assert told and NUMBER in told
        assert any(PHONE in PERSONS.in_bytes(content) for _place, content in leaks.queue_values(queue))
    finally:
        server.delete("rq:job:s3", "rq:queue:s3")
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "portal.log").write_text(f"it failed for {NAME}")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "key").write_text(PHONE)
    assert [place for place, content in leaks.files(tmp_path) if PERSONS.in_bytes(content)] == ["file log/portal.log"]
    assert town.session.scalar(text("SELECT 1")) == 1
