"""gunicorn for an instrumented service: `gunicorn --config gunicorn.conf.py app:app`.

Set PROMETHEUS_MULTIPROC_DIR to an existing directory that this service has for itself. The hooks
empty it when the master starts, and merge what a worker leaves when it goes. See
docs/processes.md.
"""

import multiprocessing
import os

from instrumentation.gunicorn import child_exit, on_starting

__all__ = ["child_exit", "on_starting"]

worker_class = "uvicorn_worker.UvicornWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", multiprocessing.cpu_count()))
bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"

# A worker that has served this many requests is replaced: a leak stays small. The jitter keeps
# them from leaving all at once.
max_requests = int(os.environ.get("MAX_REQUESTS", "0"))
max_requests_jitter = max_requests // 10

# Longer than INSTRUMENTATION_SHUTDOWN_SECONDS: the last spans are sent when the requests are done.
graceful_timeout = 30

# Import the application once, before forking, so that workers share its memory.
preload_app = os.environ.get("PRELOAD", "false") == "true"
