"""What `threadline doctor` looks at, one part of the surroundings in each module."""
