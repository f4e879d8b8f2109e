-- The same for the application that is handed in.
CREATE OR REPLACE FUNCTION note_claimed_grounds() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    NEW.grounds := grounds_of_claims(NEW.id);
    RETURN NEW;
END $$;
