"""What the router touches: the directory, records, operators' decisions."""
