"""What a backup holds, and what stands against restoring it."""
