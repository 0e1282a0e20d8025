"""What people do in the simulated Slack, and what apps get in their hands for it: triggers and response URLs."""
