CREATE FUNCTION mark_new_offers() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM mark_unserved(array_agg(year), array_agg(application_id)) FROM after_rows HAVING count(*) > 0;
    RETURN NULL;
END $$;
