"""The responder, behind a real ingress and router, before a Slack of our own and model servers over HTTP."""
