"""Changes of the directory stand in line: the triggers that make revisions take this lock, too."""

TURN = "select pg_advisory_xact_lock(hashtext('threadline directory'))"
"""Taken before any row is touched, so that nobody waits for a row whose holder waits for the lock."""
