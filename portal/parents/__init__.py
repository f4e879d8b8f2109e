"""The parents pages.  Every module of this folder registers its views on `pages`."""

from flask import Blueprint

pages = Blueprint("parents", __name__, url_prefix="/parents")
