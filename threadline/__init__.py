"""Threadline's command line."""
