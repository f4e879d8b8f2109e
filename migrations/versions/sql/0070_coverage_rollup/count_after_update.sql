-- Corrections of a name leave the days as they are.  The number counts, because a child with an offer is found by it.
CREATE OR REPLACE FUNCTION count_after_update() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM count_class_days(ARRAY(
        SELECT DISTINCT class_id FROM (
            SELECT id, class_id, school_from, entered_on, left_on, id_index FROM after_rows
            EXCEPT SELECT id, class_id, school_from, entered_on, left_on, id_index FROM before_rows
            UNION ALL
            (SELECT id, class_id, school_from, entered_on, left_on, id_index FROM before_rows
             EXCEPT SELECT id, class_id, school_from, entered_on, left_on, id_index FROM after_rows)
        ) AS differing));
    RETURN NULL;
END $$;
