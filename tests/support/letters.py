"""A letter or a file as its reader gets it: asked for, drawn by the worker, and fetched."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from enrollment.reports import data_packages
from enrollment.results import letters
from tests.support.worker import let_the_worker_work


def draw_waiting(app: Flask, engine: Engine, clock) -> list[str]:
    """Let the worker draw the letters that wait; what came of each."""
    with app.app_context():
        return let_the_worker_work(engine, clock, (letters.DRAW, data_packages.PACK, data_packages.PACK_LONG))


def drawn_letter(client: FlaskClient, engine: Engine, clock, path: str) -> TestResponse:
    """Open the address; where its page waits, let the worker draw the letter, and open it again."""
    answer = client.get(path)
    if answer.status_code == 202:
        assert draw_waiting(client.application, engine, clock) == ["done"]
        answer = client.get(path)
    return answer
