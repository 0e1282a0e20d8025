"""What is measured of the directory."""

from services.kit.telemetry.catalogue import Counter, Gauge, Histogram

LOOKUPS = Counter(
    "threadline_directory_lookups",
    "Questions whose workspace it is, by how they were answered.",
    labels={"result": ("cached", "read", "unknown")},
)
READ_SECONDS = Histogram(
    "threadline_directory_read",
    "From asking Postgres for a tenant until it is known.",
    unit="s",
)
AWAY = Gauge("threadline_directory_away", "1 while Postgres does not answer and what is known is used.")
WAITING = Gauge("threadline_directory_waiting", "Questions that wait for Postgres, since what they ask is not known.")
TENANTS = Gauge("threadline_directory_tenants", "Tenants in memory.")

CATALOGUE = (LOOKUPS, READ_SECONDS, AWAY, WAITING, TENANTS)
