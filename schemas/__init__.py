"""The contracts: every event that crosses a topic, the topics themselves, and how things are named."""
