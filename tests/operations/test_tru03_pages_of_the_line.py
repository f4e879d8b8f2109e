"""The pages of the waiting line: each reader's language and text size, the telephone of the season, the numbers in the sentences."""

import dataclasses

from sqlalchemy.exc import OperationalError

from portal.line.http_server import Request
from portal.line.line import Place
from portal.line.pages import SENT_BY_PROXY, Pages


def test_tru03_pages_that_the_proxy_sends_are_written(app, tmp_path):
    with app.app_context():
        Pages(app, tmp_path)
    found = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert len(found) == len(SENT_BY_PROXY) * 4
    assert all("@@" not in text for text in found.values())
    for name, text in found.items():
        _kind, language, size = name.removesuffix(".html").split("-")
        large = ' class="large"' if size == "large" else ""
        assert f'<html lang="{"en" if language == "en" else "zh-CN"}"{large}>' in text, name


def test_tru03_the_pages_tell_the_telephone_of_the_season_once_it_has_one(app, town, tmp_path):
    """A portal is started before its first season is entered, and a season's telephone may change while it runs."""
    with app.app_context():
        pages = Pages(app, tmp_path)
        assert not any("tel:" in text for text in pages.rendered.values())
        town.season().hotline = "028-7654321"
        town.session.commit()
        pages.renew()
        proxied = [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()]
        assert all("tel:0287654321" in text for text in (*pages.rendered.values(), *proxied))
        rendered = pages.rendered
        pages.renew()
        assert pages.rendered is rendered, "nothing is rendered for nothing"
        town.the_season.hotline = None
        town.session.commit()
        pages.renew()
        assert not any("tel:" in text for text in pages.rendered.values()), (
            "a number that is no longer told rings nowhere"
        )


def test_tru03_a_line_that_starts_while_the_database_is_away_learns_the_telephone_later(app, town, monkeypatch):
    def away(_app):
        raise OperationalError("", {}, Exception("away"))

    town.season().hotline = "028-7654321"
    town.session.commit()
    with app.app_context():
        with monkeypatch.context() as patched:
            patched.setattr("portal.line.pages._hotline", away)
            pages = Pages(app)
            pages.renew()
        assert (
            "马上就到您了" in pages.rendered["next", "zh", "normal"]
            and "tel:" not in pages.rendered["next", "zh", "normal"]
        )
        pages.renew()
        assert "tel:0287654321" in pages.rendered["next", "zh", "normal"]


def test_tru03_one_family_before_a_visitor_is_no_families(app):
    """The number is filled in after the page was rendered, so that no sentence may depend on it."""
    request = Request("POST", "/sign-in?lang=en", {"content-type": "application/x-www-form-urlencoded"}, b"phone=1")
    with app.app_context():
        pages = Pages(app)
    told = [
        pages.waiting(each, Place(7, 1, wait, 5)).body.decode()
        for each in (request, dataclasses.replace(request, method="GET"))
        for wait in (30.0, 90.0)
    ]
    assert all("Families before you: 1." in text and "1 families" not in text for text in told)
