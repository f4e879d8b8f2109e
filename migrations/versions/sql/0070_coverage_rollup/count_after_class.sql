-- The level and the school year of a class decide who of it leaves for school.
CREATE OR REPLACE FUNCTION count_after_class() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.level, NEW.school_year) IS DISTINCT FROM (OLD.level, OLD.school_year) THEN
        PERFORM count_class_days(ARRAY[NEW.id]);
    END IF;
    INSERT INTO coverage_change (area_code)
    SELECT area_code FROM kindergarten WHERE id IN (NEW.kindergarten_id, OLD.kindergarten_id);
    RETURN NULL;
END $$;
