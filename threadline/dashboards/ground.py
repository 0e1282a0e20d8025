"""What all services stand on: Kafka, Postgres with the directory in it, and the processes themselves."""

from typing import Final

from services.directory import metrics as directory
from services.kit.kafka import metrics as kafka
from threadline.dashboards.expressions import of_process, per_second, percentile, total, worst
from threadline.dashboards.panel import NONE_AT_ALL, Dashboard, Row, lines, number

GROUND: Final = Dashboard(
    uid="threadline-ground",
    title="Threadline: Kafka, Postgres, processes",
    help="Do the broker and the database answer in time, and how do the processes do?",
    rows=(
        Row(
            "Processes",
            (
                number(
                    "Processes that answer",
                    "short",
                    "Prometheus can read their metrics.",
                    of_process("up", "sum by (job) ({})", "{{job}}"),
                    limits=((0, "red"), (1, "green")),
                ),
                number(
                    "Restarts",
                    "short",
                    "In the time shown: a start time that became another.",
                    of_process("process_start_time_seconds", "sum by (job) (changes({}[$__range]))", "{{job}}"),
                    limits=((1, "orange"),),
                ),
                number(
                    "Up for",
                    "s",
                    "The process that was started last, by job.",
                    of_process("process_start_time_seconds", "time() - max by (job) ({})", "{{job}}"),
                ),
                lines(
                    "Memory",
                    "bytes",
                    "What each process holds (RSS).",
                    of_process("process_resident_memory_bytes"),
                ),
                lines(
                    "CPU",
                    "percentunit",
                    "Of one core. A process that stays near one core is full: start another.",
                    of_process("process_cpu_seconds_total", "rate({}[$__rate_interval])"),
                    limits=((0.9, "orange"),),
                ),
                lines(
                    "Open files",
                    "short",
                    "Sockets among them, and how many are allowed.",
                    of_process("process_open_fds", "sum by (job, instance) ({})"),
                    of_process("process_max_fds", "min({})", "the most"),
                ),
            ),
        ),
        Row(
            "Kafka",
            (
                lines(
                    "Published after",
                    "s",
                    "Until every in-sync replica has it, by topic; 99 of 100 within this time.",
                    percentile(0.99, kafka.PUBLISH_SECONDS, "topic"),
                ),
                lines(
                    "Published",
                    "ops",
                    "Records, by topic.",
                    per_second(kafka.PUBLISHED, "topic", result="acknowledged"),
                ),
                lines(
                    "Publishing failed",
                    "ops",
                    "Records that the cluster did not acknowledge. They are tried again, or wait in the spool.",
                    per_second(kafka.PUBLISHED, "topic", result="failed"),
                    limits=((0.01, "orange"),),
                ),
            ),
        ),
        Row(
            "Postgres and the directory",
            (
                number(
                    "Directory away",
                    "short",
                    "1 while Postgres does not answer and what is known is used.",
                    worst(directory.AWAY, "job"),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Questions waiting for Postgres",
                    "short",
                    "What they ask is not known.",
                    total(directory.WAITING),
                    limits=((1, "orange"),),
                ),
                number("Tenants in memory", "short", "By job.", worst(directory.TENANTS, "job")),
                lines(
                    "Read from Postgres after",
                    "s",
                    "Until a tenant is known.",
                    percentile(0.5, directory.READ_SECONDS),
                    percentile(0.99, directory.READ_SECONDS),
                ),
                lines(
                    "Lookups",
                    "ops",
                    "Whose workspace it is, by how that was answered. `unknown` is nobody's.",
                    per_second(directory.LOOKUPS, "result"),
                ),
            ),
        ),
    ),
)
