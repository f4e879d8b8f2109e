"""Daily: a backup in `BACKUP_FOLDER`, with the head of the audit trail in it."""

import structlog

from enrollment.ground.operations import backups
from portal.backup import copies, making
from portal.backup.faults import BackupFault
from portal.jobs.runner import JobRun, job_handler
from portal.web.unit_of_work import services

log = structlog.get_logger()


@job_handler("backup", queue="bulk", timeout=3 * 3600)
def make_backup(job: JobRun) -> dict:
    """Make a backup and delete those beyond `BACKUP_KEEP`.  No transaction of the job is open meanwhile."""
    config = services().config
    if config.backup_folder is None:
        return {"made": None}
    try:
        made = making.make(services().engine, config.keys, config.backup_folder)
    except BackupFault as fault:
        log.error("no backup was made", why=str(fault))
        raise
    with job.session() as session:
        backups.record(session, made, now=job.now(session))
    gone = copies.keep_newest(config.backup_folder, config.backup_keep, now=made.taken_at)
    return {"made": made.file, "bytes": made.size, "deleted": len(gone)}
