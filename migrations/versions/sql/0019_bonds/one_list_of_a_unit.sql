-- Bound children have one list of wishes in each round that is not frozen yet.  Checked when a transaction commits: the
-- lists are written one after the other.  The members are locked, so that two transactions that write them take turns.
CREATE FUNCTION one_list_of_a_unit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE bound uuid; changed uuid;
BEGIN
    IF TG_TABLE_NAME = 'application' THEN
        bound := (to_jsonb(NEW) ->> 'unit')::uuid;
    ELSE
        changed := (CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END ->> 'application_id')::uuid;
        SELECT unit INTO bound FROM application WHERE id = changed;
    END IF;
    IF bound IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM id FROM application WHERE unit = bound ORDER BY id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM application AS member CROSS JOIN LATERAL (
            SELECT coalesce(array_agg(concat_ws(' ', wish.round_id, wish.rank, wish.programme_id)
                                      ORDER BY wish.round_id, wish.rank), '{}') AS wishes
            FROM wish JOIN round ON round.id = wish.round_id
            WHERE wish.application_id = member.id AND round.stage IN ('planned', 'open', 'closed')) AS list
        WHERE member.unit = bound HAVING count(DISTINCT list.wishes) > 1) THEN
        RAISE EXCEPTION 'bound children have different wishes'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'one_list_of_a_unit';
    END IF;
    RETURN NULL;
END $$;
