"""What is decided: pure functions over facts, without a clock and without the outside."""
