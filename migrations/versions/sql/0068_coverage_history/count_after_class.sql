-- The level and the school year of a class decide who of it leaves for school.
CREATE FUNCTION count_after_class() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (NEW.level, NEW.school_year) IS DISTINCT FROM (OLD.level, OLD.school_year) THEN
        PERFORM count_class_days(ARRAY[NEW.id]);
    END IF;
    RETURN NULL;
END $$;
