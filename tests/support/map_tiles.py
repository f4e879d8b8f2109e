"""Test map tiles 测试底图: a stand-in for the gateway of 天地图, for tests.

It answers over real HTTP with a small grey picture, refuses a key that it does not know as 天地图 does, with a text, and notes
what was asked.
"""

import base64
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from portal.gateways.stand_ins.http_server import StandInHandler, StandInServer

NAME = "测试底图"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfz0AEYBxVSF+FAAhKDveksOjmAAAAAElFTkSuQmCC"
)


class TestTiles(StandInServer):
    """`key` is the one that it knows; `asked` are the layer, zoom, column and row of each request."""

    def __init__(self, key: str = "test"):
        self.key = key
        self.asked: list[tuple[str, int, int, int]] = []
        super().__init__(NAME)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        tiles = self

        class Handler(StandInHandler):
            def do_GET(self) -> None:
                asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                tiles.asked.append(
                    (asked["LAYER"], int(asked["TILEMATRIX"]), int(asked["TILECOL"]), int(asked["TILEROW"]))
                )
                known = asked["tk"] == tiles.key
                content, kind = (PICTURE, "image/png") if known else ('{"msg":"非法Key"}'.encode(), "application/json")
                self.say(200, content, kind)

        return Handler
