-- The open-day visits to come of an application that was withdrawn or refused: their places are free for other families.
CREATE FUNCTION cancel_visits_of_ended() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE open_day_visit SET cancelled_at = NEW.changed_at
    FROM open_day
    WHERE open_day_visit.application_id = NEW.id AND open_day_visit.cancelled_at IS NULL
      AND open_day.id = open_day_visit.open_day_id
      AND open_day.on_day >= (NEW.changed_at AT TIME ZONE 'Asia/Shanghai')::date;
    RETURN NULL;
END $$;
