-- One row in the queue of WeChat for each new notice to an account that has bound its WeChat.
CREATE FUNCTION notices_to_wechat() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO wechat_notice (id, written_at)
    SELECT added.id, added.created_at
    FROM added JOIN wechat_binding ON wechat_binding.account_id = added.account_id
    WHERE wechat_binding.paused_at IS NULL;
    RETURN NULL;
END $$;
