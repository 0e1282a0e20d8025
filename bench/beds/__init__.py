"""Real parts that a suite or a test has to itself, each a process that it may stop, hold up and kill."""
