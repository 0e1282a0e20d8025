"""What ingress decides: pure functions of what came in."""
