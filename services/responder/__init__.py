"""Answers, live and once: what the router asks for is asked of a model, written to Slack, and kept in a ledger."""
