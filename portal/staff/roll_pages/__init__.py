"""Pages of changes of the roll: classes, children, transfers, promotion.  The overview is `portal.staff.roll`."""
