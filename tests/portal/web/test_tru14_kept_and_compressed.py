"""Static files are kept for ever under a digest, and a compressed answer does not betray the token of its forms."""

import re

import pytest

from portal.web.front import static_files
from tests.support.signing_in import sign_in


def addresses_on(page: str) -> list[str]:
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', page)


def test_tru14_every_static_file_of_a_page_may_be_kept_for_ever(client):
    found = addresses_on(client.get("/").text)
    assert len(found) >= 4
    for address in found:
        answer = client.get(address, inspect=False)
        assert answer.status_code == 200, address
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable", address
        assert "Set-Cookie" not in answer.headers


def test_tru14_the_digest_changes_with_the_content_of_its_folder_alone(tmp_path):
    for folder in ("css", "js"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one").write_text("a")
    before = static_files.digests(tmp_path)
    (tmp_path / "css" / "one").write_text("b")
    static_files.digests.cache_clear()
    after = static_files.digests(tmp_path)
    static_files.digests.cache_clear()
    assert before["css"] != after["css"]
    assert before["js"] == after["js"]


def test_tru14_a_page_of_another_version_gets_the_file_but_nobody_keeps_it(client):
    answer = client.get("/static/000000000000/css/brand.css", inspect=False)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    assert client.get("/static/000000000000/css/none.css", inspect=False).status_code == 404


@pytest.mark.parametrize("path", ["../app.py", "css/../../app.py", "%2e%2e/app.py"])
def test_tru14_no_file_beside_the_static_ones_is_sent(client, path):
    digest = static_files.digests()["css"]
    assert client.get(f"/static/{digest}/{path}", inspect=False).status_code == 404


def tokens_of(page: str) -> set[str]:
    return set(re.findall(r'name="csrf_token" value="([^"]+)"', page))


def test_tru14_a_form_token_looks_different_in_each_answer_and_each_is_accepted(client, town):
    sign_in(client, town.family("甲").account)
    pages = [client.get("/parents").text for _ in range(3)]
    tokens = [tokens_of(page) for page in pages]
    assert all(len(each) == 1 for each in tokens), "one mask for an answer"
    first, second, third = (each.pop() for each in tokens)
    # nothing that a guess could be compared with is the same in two answers
    assert longest_common(first, second) < 8
    assert longest_common(second, third) < 8
    assert client.post("/sign-out", data={"csrf_token": first}).headers["Location"] == "/"


def longest_common(one: str, other: str) -> int:
    """The longest text that both have at the same place."""
    longest = run = 0
    for a, b in zip(one, other, strict=True):
        run = run + 1 if a == b else 0
        longest = max(longest, run)
    return longest


@pytest.mark.parametrize("token", ["", "x", "AAAA", "AAAAAAA=", "é" * 8, "A" * 5000])
def test_tru14_what_is_no_masked_token_is_refused(client, town, token):
    sign_in(client, town.family("甲").account)
    client.post("/sign-out", data={"csrf_token": token})
    assert client.get("/parents").status_code == 200, "still signed in"
