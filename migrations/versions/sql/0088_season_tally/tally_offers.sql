-- The same for offers, by the kindergarten of the place.
CREATE FUNCTION tally_offers() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO season_tally (year, subject, kindergarten_id, state, n)
        SELECT each_row.year, 'offer', programme.kindergarten_id, each_row.state, count(*)
        FROM after_rows AS each_row JOIN programme ON programme.id = each_row.programme_id
        GROUP BY each_row.year, programme.kindergarten_id, each_row.state;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO season_tally (year, subject, kindergarten_id, state, n)
        SELECT each_row.year, 'offer', programme.kindergarten_id, each_row.state, -count(*)
        FROM before_rows AS each_row JOIN programme ON programme.id = each_row.programme_id
        GROUP BY each_row.year, programme.kindergarten_id, each_row.state;
    ELSE
        INSERT INTO season_tally (year, subject, kindergarten_id, state, n)
        SELECT changed.year, 'offer', programme.kindergarten_id, changed.state, sum(changed.one) FROM (
            SELECT year, programme_id, state, 1 AS one FROM after_rows
            UNION ALL
            SELECT year, programme_id, state, -1 FROM before_rows
        ) AS changed JOIN programme ON programme.id = changed.programme_id
        GROUP BY changed.year, programme.kindergarten_id, changed.state HAVING sum(changed.one) <> 0;
    END IF;
    RETURN NULL;
END $$;
