-- These applications of a year may stand otherwise on the board of children without a place.  Very many stand for the whole
-- year: then to count the year again costs less than to look at each.  Rows are only added, so nobody waits for somebody else.
CREATE FUNCTION mark_unserved(years integer[], applications uuid[]) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF cardinality(applications) > 200 THEN
        INSERT INTO unserved_change (year) SELECT DISTINCT unnest(years);
    ELSIF cardinality(applications) > 0 THEN
        INSERT INTO unserved_change (year, application_id) SELECT DISTINCT * FROM unnest(years, applications);
    END IF;
END $$;
