"""What backups touch: a folder, a cluster, and Postgres by its own programs."""
