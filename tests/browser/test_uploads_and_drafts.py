"""What a phone does before anything travels: a file that is too large is refused when it is chosen."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town


@pytest.fixture
def draft(site, now):
    """(session key, address of a draft): a family that fills in its form."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        garden = town.kindergarten("机关第一幼儿园", places=30)
        li = town.family("李")
        ana = town.child("李沐晨", family=li, wishes=[garden], submit=False)
        return signed_in_key(session, li.account.id), f"/parents/applications/{ana.id}"


def open_as(new_page, site, key, **shape):
    page = new_page(**shape)
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    return page


def test_fam28_a_photo_of_21_MB_is_refused_when_it_is_chosen(site, draft, new_page, tmp_path):
    key, address = draft
    page = open_as(new_page, site, key, phone=True)
    page.goto(f"{address}/evidence")
    posted = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8\xff\xe0" + bytes(21_000_000 - 4))
    paper = page.locator("#paper-hukou_booklet")
    field = paper.locator("input[type=file]")
    field.set_input_files(photo)
    expect(paper.get_by_role("alert")).to_have_text("这个文件有 21 MB，最大 20 MB。请换一个小一些的文件，或分成几个。")
    assert field.evaluate("input => input.files.length") == 0
    assert posted == []
    assert_axe_clean(page)
    photo.write_bytes(b"\xff\xd8\xff\xe0" + bytes(20_000_000 - 4))
    field.set_input_files(photo)
    expect(paper.get_by_role("alert")).to_have_count(0)
    assert field.evaluate("input => input.files.length") == 1
