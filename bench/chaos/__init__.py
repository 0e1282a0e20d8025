"""The whole way from Slack to an answer, broken on purpose: scenarios, what strikes, and what must hold after."""
