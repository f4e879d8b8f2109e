-- A document tells that a child with an offer is the one on a roll.
CREATE FUNCTION change_of_document() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM change_of_offers(array_agg(offer.child_id), array_agg(offer.programme_id))
    FROM after_rows AS document JOIN offer ON offer.child_id = document.child_id HAVING count(*) > 0;
    RETURN NULL;
END $$;
