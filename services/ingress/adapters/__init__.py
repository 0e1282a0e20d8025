"""What ingress touches: the broker, the spool, Slack's sockets, and the HTTP door."""
