-- What a statement changed in the number of applications by kindergarten and stage.  Rows are only added, so nobody who hands
-- in waits for somebody else; the job fold_season_tally adds them up.
CREATE FUNCTION tally_applications() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO season_tally (year, subject, kindergarten_id, state, n)
        SELECT year, 'application', review_kindergarten_id, stage, count(*) FROM after_rows
        GROUP BY year, review_kindergarten_id, stage;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO season_tally (year, subject, kindergarten_id, state, n)
        SELECT year, 'application', review_kindergarten_id, stage, -count(*) FROM before_rows
        GROUP BY year, review_kindergarten_id, stage;
    ELSE
        INSERT INTO season_tally (year, subject, kindergarten_id, state, n)
        SELECT year, 'application', review_kindergarten_id, stage, sum(one) FROM (
            SELECT year, review_kindergarten_id, stage, 1 AS one FROM after_rows
            UNION ALL
            SELECT year, review_kindergarten_id, stage, -1 FROM before_rows
        ) AS changed
        GROUP BY year, review_kindergarten_id, stage HAVING sum(one) <> 0;
    END IF;
    RETURN NULL;
END $$;
