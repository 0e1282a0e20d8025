"""Dashboards for Grafana, declared by what an operator asks and made of the metrics' catalogue."""
