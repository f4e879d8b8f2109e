-- A family that answers an offer of a draw with yes was not on the board and does not come on it: only whether the child holds the
-- place counts.  Of a proposal of central placement each answer counts, and of a place that has ended its state and time.
CREATE FUNCTION mark_answered_offers() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM mark_unserved(array_agg(now_row.year), array_agg(now_row.application_id))
    FROM after_rows AS now_row JOIN before_rows AS was_row ON was_row.id = now_row.id
    WHERE (now_row.state, now_row.ended_at) IS DISTINCT FROM (was_row.state, was_row.ended_at)
      AND (now_row.state NOT IN ('offered','confirmed','confirmed_waiting','arrived')
           OR was_row.state NOT IN ('offered','confirmed','confirmed_waiting','arrived')
           OR EXISTS (SELECT FROM central_proposal AS proposal WHERE proposal.offer_id = now_row.id))
    HAVING count(*) > 0;
    RETURN NULL;
END $$;
