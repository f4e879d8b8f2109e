"""What gunicorn serves.  A setting that is missing or unfit stops the start with one line."""

import gc
import sys

from portal.app import create_app
from portal.config import Unconfigured, from_environment

try:
    app = create_app(from_environment())
except Unconfigured as fault:
    sys.exit(f"The portal does not start: {fault}")

# what is loaded stays, and each page process copies only those parts of the memory that it changes
gc.freeze()
