-- The number of a class changes by an entry (roll_count) alone.
CREATE FUNCTION number_by_entry() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.counted IS NOT NULL AND NEW.counted IS NOT NULL AND NEW.counted <> OLD.counted AND pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'the number of a class changes by a dated entry'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
