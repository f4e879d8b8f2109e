"""Local stand-ins of systems that are not ours.  Each says on screen that it is one."""
