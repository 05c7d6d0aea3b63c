"""What every span and every metric says of the service, and of the process it came from."""

from __future__ import annotations

import os

from opentelemetry.sdk.resources import Resource, ServiceInstanceIdResourceDetector

from instrumentation.export import directory
from instrumentation.settings import Settings


def resource(settings: Settings) -> Resource:
    """The resource of this process, with a `service.instance.id` of its own.

    One that the user gave stands, but in a worker beside others: all of them were given the same,
    and two processes that count under one identity look like a counter that goes back.
    """
    found = Resource.create(
        {**dict(settings.resource_attributes), "service.name": settings.service_name}
    )
    return found if directory.master() == os.getpid() else of_this_process(found)


def of_this_process(found: Resource) -> Resource:
    """The resource with an identity that no other process has, nor had before a fork."""
    return found.merge(ServiceInstanceIdResourceDetector().detect())
