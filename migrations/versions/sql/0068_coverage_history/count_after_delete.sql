CREATE FUNCTION count_after_delete() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- a class that is deleted with its children has no days any more
    PERFORM count_class_days(ARRAY(
        SELECT DISTINCT class_id FROM before_rows WHERE EXISTS (SELECT FROM roll_class WHERE id = class_id)));
    RETURN NULL;
END $$;
