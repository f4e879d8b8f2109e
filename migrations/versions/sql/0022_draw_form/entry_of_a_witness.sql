-- A value is entered in an open session of the draw's present commitment, in its declared form, and a beacon's only once
-- it is public.
CREATE FUNCTION entry_of_a_witness() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM witness_session AS witness JOIN draw ON draw.id = witness.draw_id
        WHERE witness.id = NEW.session_id AND draw.seed IS NULL AND witness.commitment = draw.commitment
          AND witness.approved_by <> witness.requested_by AND witness.opened_at IS NOT NULL
          AND witness.revoked_at IS NULL
          AND NEW.entered_at < witness.expires_at AND NEW.entered_at > draw.committed_at
          AND (witness.part <> 'beacon'
               OR coalesce((draw.draw_form::jsonb #>> '{beacon,published_at}')::timestamptz <= NEW.entered_at, true))
          AND draw_part_is_canonical(draw.draw_form::jsonb -> witness.part, NEW.value)) THEN
        RAISE EXCEPTION 'a witness enters a value of the declared form' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
