"""A local Slack: its Web API, Socket Mode, Events API, OAuth and interactivity, and a page to chat in."""
