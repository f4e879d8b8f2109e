-- An officer who comes or goes, and a kindergarten that moves to another area, change who looks after many children.
CREATE FUNCTION mark_all_years() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO unserved_change (year) SELECT year FROM season;
    RETURN NULL;
END $$;
