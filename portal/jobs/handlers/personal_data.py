"""A family's download is packed here where a page would take too long."""

import uuid

from enrollment.ground.accounts import Account, actor_of
from enrollment.reports import data_packages
from enrollment.reports.data_packages import DataPackage
from portal.jobs.runner import Work, handles
from portal.letters import data_package
from portal.text import languages
from portal.web.unit_of_work import house

STEPS = 3


@handles("pack_data", queue="steady", timeout=900)
def pack_data(work: Work) -> dict:
    """Read, print, keep; a package that was asked for anew or is there already is left alone."""
    package_id = uuid.UUID(work.args["package"])
    work.progress(0, STEPS, "read")
    with work.session() as session:
        package = session.get(DataPackage, package_id)
        if package is None or package.made_at is not None:
            return {"packed": 0}
        language, account = package.language, session.get_one(Account, package.account_id)
        with languages.speaking(language):
            contents = data_package.read(session, by=actor_of(account), now=work.now(session), demo=house().config.demo)
    work.progress(1, STEPS, "print")
    with languages.speaking(language):
        packed = data_package.pack(contents)
    work.progress(2, STEPS, "keep")
    with work.session() as session:
        data_packages.keep(session, package_id, packed, now=work.now(session))
    return {"packed": 1}
