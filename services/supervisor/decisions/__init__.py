"""What tasks are, what is judged of them, who may decide, and what is said: pure."""
