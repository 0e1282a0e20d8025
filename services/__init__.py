"""The processes that Threadline is made of, and what they share."""
