CREATE FUNCTION change_after_offers() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM change_of_offers(array_agg(child_id), array_agg(DISTINCT programme_id)) FROM after_rows HAVING count(*) > 0;
    RETURN NULL;
END $$;
