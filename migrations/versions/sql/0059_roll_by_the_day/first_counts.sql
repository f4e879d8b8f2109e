-- New classes that are kept as a number begin with an entry each; a list brings thousands in one statement.
CREATE FUNCTION first_counts() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO roll_count (class_id, day, children, source, reason, state, made_at)
    SELECT id, as_of, counted, 'first', '', 'in_force', now() FROM fresh WHERE counted IS NOT NULL;
    RETURN NULL;
END $$;
