-- A publication that was opened never changes; it may be deleted with its run.
CREATE OR REPLACE FUNCTION keep_the_publication() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM upkeep_of_now('decade') AS door WHERE OLD.signed_at < door.at - interval '10 years') THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'a publication is never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.opened_at IS NOT NULL OR NEW.run_id <> OLD.run_id OR NEW.signed_at <> OLD.signed_at THEN
        RAISE EXCEPTION 'an opened publication never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
