"""What touches the outside: Kafka, Slack, language models, the clock."""
