-- A confirmation leaves the counts as they are: the place was the child's before it too.
CREATE FUNCTION change_after_answers() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM change_of_offers(array_agg(now_row.child_id), array_agg(now_row.programme_id) || array_agg(was_row.programme_id))
    FROM after_rows AS now_row JOIN before_rows AS was_row ON was_row.id = now_row.id
    WHERE (now_row.state IN ('offered','confirmed','confirmed_waiting'), now_row.state = 'arrived', now_row.programme_id)
          IS DISTINCT FROM (was_row.state IN ('offered','confirmed','confirmed_waiting'), was_row.state = 'arrived', was_row.programme_id)
    HAVING count(*) > 0;
    RETURN NULL;
END $$;
