"""A failure that was foreseen, and that a person can do something about."""


class Fault(Exception):
    """Its message says what happened, what was kept, and what to do. The command line shows it without a traceback."""
