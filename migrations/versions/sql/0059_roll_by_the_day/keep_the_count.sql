-- A count is never changed or deleted: a wrong one gets a counter-entry.  An open one is decided once.
CREATE FUNCTION keep_the_count() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    said roll_count;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF pg_trigger_depth() > 1 THEN
            RETURN OLD;  -- with its class
        END IF;
        RAISE EXCEPTION 'counts of the roll are kept' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    said := NEW;
    said.state := OLD.state;
    said.decided_by := OLD.decided_by;
    said.decided_at := OLD.decided_at;
    IF said IS DISTINCT FROM OLD OR OLD.state <> 'open' OR NEW.decided_at IS NULL THEN
        RAISE EXCEPTION 'a count of the roll does not change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
