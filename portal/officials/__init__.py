"""The officials pages.  Every module of this folder registers its views on `pages`."""

from flask import Blueprint

pages = Blueprint("officials", __name__, url_prefix="/officials")
