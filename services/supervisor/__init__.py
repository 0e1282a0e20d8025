"""Long-running agents watched, approved and stopped from Slack."""
