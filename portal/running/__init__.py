"""How the portal's processes are started, watched and ended on one machine."""
