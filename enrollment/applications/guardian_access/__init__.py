"""How guardians get and lose access: joining, taking over, phone changes, desk access, access codes."""
