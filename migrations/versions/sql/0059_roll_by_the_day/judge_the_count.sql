-- An entry from the desk that is large waits for a second person: above the norm of the level, or more than five children
-- away from the count that is valid.
CREATE FUNCTION judge_the_count() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    before integer;
    norm integer;
BEGIN
    IF NEW.source <> 'desk' OR NEW.state <> 'in_force' OR NEW.decided_by IS NOT NULL THEN
        RETURN NEW;
    END IF;
    SELECT counted, CASE level WHEN 'nursery' THEN 20 WHEN 'lower' THEN 25 WHEN 'upper' THEN 35 ELSE 30 END
        INTO before, norm FROM roll_class WHERE id = NEW.class_id FOR UPDATE;
    IF NEW.children > norm OR (before > 0 AND abs(NEW.children - before) > 5) THEN
        RAISE EXCEPTION 'a count of this size needs a second person'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'ck_roll_count__second_person';
    END IF;
    RETURN NEW;
END $$;
