-- Corrections of a name or a number leave the days as they are.
CREATE FUNCTION count_after_update() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM count_class_days(ARRAY(
        SELECT DISTINCT class_id FROM (
            SELECT id, class_id, school_from, entered_on, left_on FROM after_rows
            EXCEPT SELECT id, class_id, school_from, entered_on, left_on FROM before_rows
            UNION ALL
            (SELECT id, class_id, school_from, entered_on, left_on FROM before_rows
             EXCEPT SELECT id, class_id, school_from, entered_on, left_on FROM after_rows)
        ) AS differing));
    RETURN NULL;
END $$;
