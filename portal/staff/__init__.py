"""The staff pages.  Every module of this folder registers its views on `pages`."""

from flask import Blueprint

pages = Blueprint("staff", __name__, url_prefix="/staff")
