"""Facts about the operation of the portal that must survive its processes: backups that were made."""
