"""The usual way's queue: Celery on Redis. The listener puts questions there, and prefork workers take them."""

from celery import Celery

from services.kit.settings import variable

ANSWER = "usual.answer"
"""The task. By its name the listener asks for it, and need not hold what answers."""

# Built at import, since Celery's own command finds its app by import.
app = Celery("usual", broker=variable("PEER_REDIS"))
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,  # a worker that dies loses no question
    worker_prefetch_multiplier=1,  # a worker takes no question that another could begin with
    broker_connection_retry_on_startup=True,
)
