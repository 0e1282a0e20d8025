"""Where a report's log comes from and goes to: topics, lines of JSON, Parquet."""
