CREATE FUNCTION count_after_insert() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM count_class_days(ARRAY(SELECT DISTINCT class_id FROM after_rows));
    RETURN NULL;
END $$;
