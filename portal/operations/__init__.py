"""Starting, watching and checking the processes of the portal: serve, embedded servers, doctor, keys.

May import `jobs` and everything below it.
"""
