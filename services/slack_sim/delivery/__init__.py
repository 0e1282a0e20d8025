"""How what happens reaches an app: over its sockets or by HTTP, until it is acknowledged or given up."""
