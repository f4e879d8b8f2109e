-- The visits of a slot that count, in the slot itself: its row is locked, and its check refuses one more than its places.
CREATE FUNCTION count_open_day_visits() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.cancelled_at IS NULL THEN
        UPDATE open_day_slot SET taken = taken - 1 WHERE id = OLD.slot_id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.cancelled_at IS NULL THEN
        UPDATE open_day_slot SET taken = taken + 1 WHERE id = NEW.slot_id;
    END IF;
    RETURN NULL;
END $$;
