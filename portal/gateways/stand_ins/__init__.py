"""Local stand-ins of other systems.  Each says on screen that it is one."""
