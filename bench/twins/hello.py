"""A bare Flask application: what the server and the framework cost without any page of the portal."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    return "hello"
