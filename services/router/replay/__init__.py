"""Decisions taken again: a stretch of the log, under the directory that each decision names or under another."""
