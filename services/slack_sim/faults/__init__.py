"""What is made to go wrong, on demand."""
