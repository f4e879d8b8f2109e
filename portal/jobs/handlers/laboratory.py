"""Drawing a study of the policy laboratory."""

import uuid

from enrollment.ground.errors import Refused
from enrollment.laboratory import drawing
from portal.jobs.runner import JobRun, job_handler


@job_handler("draw_laboratory", queue="bulk", timeout=7200)
def draw_laboratory(job: JobRun) -> dict:
    """Read, draw outside a transaction, save each variant when it is ready.  A second run draws the same again."""
    study_id = uuid.UUID(job.args["study"])
    try:
        with job.session() as session:
            task = drawing.read(session, study_id, now=job.now(session))
        if task is None:
            return {"state": "stopped"}
        return _draw(job, task)
    except drawing.Stopped:
        return {"state": "stopped"}
    except Refused as refused:
        with job.session() as session:
            drawing.refuse(session, study_id)
        return refused.as_row()


def _draw(job: JobRun, task: drawing.Task) -> dict:
    def tell(done: int, of: int) -> None:
        job.progress(done, of)
        with job.session() as session:
            drawing.raise_if_stopped(session, task.study_id)

    for variant_id, result in drawing.draw(task, tell):
        with job.session() as session:
            drawing.save(session, variant_id, result)
    with job.session() as session:
        drawing.finish(session, task.study_id, now=job.now(session))
    return {"state": "done"}
