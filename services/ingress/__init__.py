"""Ingress: Slack in, raw events out to `slack.inbound`; nothing is acknowledged before it is durable."""
