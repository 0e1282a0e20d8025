"""What figures are held against: the usual way to do the same, fairly built."""

READY = "is ready for its work"
"""What a peer says when it is."""
