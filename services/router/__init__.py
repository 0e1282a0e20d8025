"""Decides what becomes of every envelope, once, and says why."""
