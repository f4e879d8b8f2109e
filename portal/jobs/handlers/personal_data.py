"""A family's download is packed here, and never in a page process."""

import uuid

from enrollment.ground.accounts import Account, actor_of
from enrollment.ground.errors import Refused
from enrollment.reports import data_packages
from enrollment.reports.data_packages import DataPackage
from portal.jobs.runner import JobRun, job_handler
from portal.letters import data_package
from portal.letters.pdf_renderer import PdfUnavailable
from portal.text import languages
from portal.web.unit_of_work import services

STEPS = 3


@job_handler(data_packages.PACK, queue="quick", timeout=120)
@job_handler(data_packages.PACK_LONG, queue="steady", timeout=900)
def pack_data(job: JobRun) -> dict:
    """Read, print, keep; a package that was asked for anew or is there already is left alone."""
    package_id = uuid.UUID(job.args["package"])
    job.progress(0, STEPS, "read")
    with job.session() as session:
        package = session.get(DataPackage, package_id)
        if package is None or package.made_at is not None:
            return {"packed": 0}
        language, account = package.language, session.get_one(Account, package.account_id)
        with languages.speaking(language):
            contents = data_package.read(
                session, by=actor_of(account), now=job.now(session), demo=services().config.demo
            )
    job.progress(1, STEPS, "print")
    try:
        with languages.speaking(language):
            packed = data_package.pack(contents)
    except PdfUnavailable as fault:
        raise Refused("pdf_unavailable", missing=fault.how) from fault
    job.progress(2, STEPS, "keep")
    with job.session() as session:
        data_packages.keep(session, package_id, packed, now=job.now(session))
    return {"packed": 1}
