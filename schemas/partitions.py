"""How many partitions topics have, unless somebody wants another number."""

PARTITIONS = 24
"""Fixed when a topic is created, since keyed state depends on it. One machine takes `PARTITIONS_ON_ONE_MACHINE`."""
PARTITIONS_ON_ONE_MACHINE = 4
