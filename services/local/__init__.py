"""Threadline on one machine: an embedded Kafka and Postgres, and the supervisor that keeps every process up."""
