-- What a run gave never changes, and its state only goes forward; it may be deleted after ten years.  A run of a list that was
-- corrected meanwhile is not published, and no run before the row of its publication is opened.
CREATE OR REPLACE FUNCTION keep_the_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM upkeep_of_now('decade') AS door WHERE OLD.started_at < door.at - interval '10 years') THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'DELETE'
       OR (OLD.digest IS NOT NULL AND (NEW.digest, NEW.engine, NEW.summary, NEW.bundle)
           IS DISTINCT FROM (OLD.digest, OLD.engine, OLD.summary, OLD.bundle))
       OR (NEW.round_id, NEW.number, NEW.snapshot_id, NEW.replays)
           IS DISTINCT FROM (OLD.round_id, OLD.number, OLD.snapshot_id, OLD.replays)
       OR (OLD.state = 'published' AND NEW.state NOT IN ('published', 'superseded'))
       OR (OLD.state IN ('superseded', 'set_aside', 'failed') AND NEW.state <> OLD.state) THEN
        RAISE EXCEPTION 'what a run gave never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state = 'published' AND OLD.state <> 'published' AND EXISTS (
        SELECT 1 FROM snapshot WHERE id = NEW.snapshot_id AND (replaced_at IS NOT NULL OR outdated_at IS NOT NULL)) THEN
        RAISE EXCEPTION 'a run of an old list is not published' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state = 'published' AND OLD.state <> 'published' AND (OLD.state <> 'signed' OR NOT EXISTS (
        SELECT 1 FROM publication WHERE run_id = NEW.id AND opened_at IS NOT NULL)) THEN
        RAISE EXCEPTION 'a run is published by its publication' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
