-- The days of these classes, counted again.  The rows of the classes are locked in one order, so that of two transactions
-- that change one class the second counts what the first has committed.
CREATE FUNCTION count_class_days(classes uuid[]) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM roll_class WHERE id = ANY(classes) ORDER BY id FOR NO KEY UPDATE;
    DELETE FROM roll_class_day WHERE class_id = ANY(classes);
    INSERT INTO roll_class_day (class_id, day, children, of_school_age)
    SELECT class_id, day, sum(change), coalesce(sum(change) FILTER (WHERE for_school), 0) FROM (
        SELECT child.class_id, moved.day, moved.change,
               class.level = 'mixed' AND coalesce(child.school_from <= class.school_year + 1, false) AS for_school
        FROM roll_child AS child JOIN roll_class AS class ON class.id = child.class_id
        CROSS JOIN LATERAL (VALUES (child.entered_on, 1), (child.left_on, -1)) AS moved (day, change)
        WHERE child.class_id = ANY(classes) AND moved.day IS NOT NULL
          AND (child.left_on IS NULL OR child.left_on > child.entered_on)
    ) AS moves
    GROUP BY class_id, day
    HAVING sum(change) <> 0 OR coalesce(sum(change) FILTER (WHERE for_school), 0) <> 0;
END $$;
