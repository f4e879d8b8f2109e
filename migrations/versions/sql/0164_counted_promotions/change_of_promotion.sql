-- A promotion and its undoing change which classes of a kindergarten count, also where they write no row of the roll.
CREATE OR REPLACE FUNCTION change_of_promotion() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO coverage_change (area_code)
    SELECT area_code FROM kindergarten WHERE id IN (NEW.kindergarten_id, OLD.kindergarten_id);
    RETURN NULL;
END $$;
