-- A class that begins to be kept as a number begins with an entry.
CREATE FUNCTION first_count() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.counted IS NOT NULL AND OLD.counted IS NULL THEN
        INSERT INTO roll_count (class_id, day, children, source, reason, state, made_at)
        VALUES (NEW.id, NEW.as_of, NEW.counted, 'first', '', 'in_force', now());
    END IF;
    RETURN NULL;
END $$;
