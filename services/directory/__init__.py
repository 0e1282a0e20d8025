"""The directory: who is a tenant, which agent answers where, who may do what, and which apps are installed."""
