"""Supervised agents, measured and put through faults: what they report, and what people see and decide of them."""
