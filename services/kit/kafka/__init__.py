"""Kafka-compatible clusters, through aiokafka."""
