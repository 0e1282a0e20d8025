"""Backups: every topic at its offsets, where the groups stand, and the directory, in a folder and back."""
