"""The pages of area and city officials.  Each module registers its views on `pages`.

May import `operations`, `jobs`, `letters`, `demo`, `web` and everything below them, not the other page packages.
"""

from flask import Blueprint

pages = Blueprint("officials", __name__, url_prefix="/officials/<int:year>")
