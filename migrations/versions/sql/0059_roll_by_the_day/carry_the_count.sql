-- The class shows the newest count in force: of the latest day, and of two on one day the one entered last.
CREATE FUNCTION carry_the_count() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.state = 'in_force' THEN
        UPDATE roll_class SET counted = newest.children, as_of = newest.day
        FROM (
            SELECT children, day FROM roll_count
            WHERE class_id = NEW.class_id AND state = 'in_force' ORDER BY day DESC, number DESC LIMIT 1
        ) AS newest
        WHERE roll_class.id = NEW.class_id AND kept_as = 'count'
            AND (counted, as_of) IS DISTINCT FROM (newest.children, newest.day);
    END IF;
    RETURN NULL;
END $$;
