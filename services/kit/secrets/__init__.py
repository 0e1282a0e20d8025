"""Secrets: three names that may be asked for, the places where they are found, and how secrets are sealed at rest."""
