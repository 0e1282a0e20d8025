"""Plumbing that two services need: settings, clock, kafka, telemetry, http. No noun of the domain."""
