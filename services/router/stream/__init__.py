"""Decides each record of a log once, whatever happens to the process: a journal, its memory, and Faust held to both.

Nothing in here knows what the records are about.
"""
