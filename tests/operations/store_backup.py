"""Makes a stored backup of a small city at the newest revision: `python -m tests.operations.store_backup`.

Run it when a release is made, so that the next version proves that it can upgrade it; the old files stay.
"""

import shutil
import tempfile
from pathlib import Path

from enrollment.ground import vault
from enrollment.ground.db import open_engine
from portal.backup import making
from portal.demo.city_builder import CityBuilder
from portal.operations import doctor
from portal.operations.migrations import upgrade
from tests.support.keys import KEYS
from tests.support.servers import Servers

CHILDREN, SEED, THROUGH = 40, 7, "arrival"


def main() -> None:
    vault.unlock(KEYS)
    servers = Servers()
    folder = Path(tempfile.mkdtemp())
    try:
        addresses = servers.start()
        (revision,) = doctor.newest_revision()
        engine = open_engine(addresses.create("city", template="template0"))
        upgrade(engine, revision)
        CityBuilder(engine, CHILDREN, SEED, lambda step, done, of: None).build(THROUGH)
        made = making.make(engine, KEYS, folder)
        engine.dispose()
        shutil.move(folder / made.file, Path(__file__).with_name("stored_backups") / f"{revision}.backup")
    finally:
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
