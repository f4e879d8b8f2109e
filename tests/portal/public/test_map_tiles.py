"""Map tiles come through the portal: the key stays here, only the city is fetched, and a gateway that is away costs nothing."""

import dataclasses

import pytest

from portal.gateways.map_tiles import column_and_row
from portal.web.shared_views.finder import tiles
from tests.support.map_tiles import PICTURE, TestTiles

TIANFU_SQUARE = (104.0657, 30.6595)


@pytest.fixture
def gateway(app, monkeypatch):
    services = app.extensions["services"]
    with TestTiles(key="city") as running:
        config = dataclasses.replace(services.config, map_key="city", map_url=running.url)
        monkeypatch.setitem(app.extensions, "services", dataclasses.replace(services, config=config))
        app.extensions.pop(tiles.KEY, None)
        yield running
    app.extensions.pop(tiles.KEY, None)


def test_a_tile_of_the_city_is_fetched_once_and_shows_the_place_of_wgs_84(client, gateway):
    column, row = column_and_row(*TIANFU_SQUARE, 15)
    assert (column, row) == (25856, 13449)
    for _ in range(2):
        answer = client.get(f"/map/tiles/vec/15/{column}/{row}")
        assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/png", PICTURE)
    assert "max-age=604800" in answer.headers["Cache-Control"]
    assert gateway.asked == [("vec", 15, column, row)]


def test_nothing_outside_the_city_is_asked_for_and_the_key_is_on_no_page(client, town, gateway):
    town.season()
    for path in ("vec/15/26976/12416", "img/15/25856/13449", "vec/3/6/3", "vec/99/1/1"):
        assert client.get(f"/map/tiles/{path}").status_code == 404
    assert gateway.asked == []
    town.kindergarten("望江幼儿园", longitude=104.08, latitude=30.65)
    page = client.get("/kindergartens?view=map")
    assert "/map/tiles/LAYER/{z}/{x}/{y}" in page.text
    assert "city" not in page.text.split("data-tiles=")[1].split(">")[0]
    assert "'self'" in page.headers["Content-Security-Policy"]
    assert "http" not in page.headers["Content-Security-Policy"]


def test_a_refused_key_is_asked_three_times_and_then_left_alone_for_a_minute(client, gateway):
    gateway.key = "another"
    for column in range(25850, 25856):
        assert client.get(f"/map/tiles/vec/15/{column}/13449").status_code == 404
    assert len(gateway.asked) == 3
