-- The commitment is published before the seed, and a draw that has its seed never changes; it may be deleted after ten years.
CREATE FUNCTION keep_the_seed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM upkeep_of_now('decade') AS door WHERE OLD.committed_at < door.at - interval '10 years') THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.seed IS NOT NULL THEN
            RAISE EXCEPTION 'the commitment is published before the seed' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.seed IS NOT NULL AND (NEW.commitment, NEW.committed_at, NEW.snapshot_id)
       IS DISTINCT FROM (OLD.commitment, OLD.committed_at, OLD.snapshot_id) THEN
        RAISE EXCEPTION 'the commitment is published before the seed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'DELETE' OR OLD.seed IS NOT NULL THEN
        RAISE EXCEPTION 'a draw that has its seed never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
