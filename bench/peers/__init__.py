"""What figures are held against: the usual way to do the same, fairly built."""
