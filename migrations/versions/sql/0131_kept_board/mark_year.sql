-- A published run brings all of its children onto the board, or none of them: the year is counted again.
CREATE FUNCTION mark_year() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO unserved_change (year) SELECT year FROM round WHERE id = NEW.round_id;
    RETURN NULL;
END $$;
