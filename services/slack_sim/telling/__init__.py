"""How the simulated Slack tells of what it holds: objects, events and interactions, as Slack shapes them."""
