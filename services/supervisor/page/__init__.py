"""The page that people look at: what agents do, what waits for a person, and what it cost."""
