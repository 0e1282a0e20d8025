"""What stands in the simulated Slack: workspaces, people, apps, channels, messages, and the time there."""
