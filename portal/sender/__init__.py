"""The sender: a resident process that sends the messages of the outbox.  It reads the database and the gateway alone."""
