"""The public pages.  Every module of this folder registers its views on `pages`."""

from flask import Blueprint

pages = Blueprint("public", __name__)
