"""The methods, one family to a module."""
