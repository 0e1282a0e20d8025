"""What a report counts, and how: pure folds over columns."""
