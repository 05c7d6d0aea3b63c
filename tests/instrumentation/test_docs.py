"""The pages about the library say what the library does."""

from __future__ import annotations

import re
from pathlib import Path

from instrumentation.reference import reference

DOCS = Path(__file__).parents[2] / "docs"
SOURCES = Path(__file__).parents[2] / "instrumentation"


def test_the_metrics_page_is_what_the_contract_says() -> None:
    assert (DOCS / "metrics.md").read_text() == reference(), "run `make generate`"


def test_every_variable_that_is_read_is_documented() -> None:
    source = (SOURCES / "settings.py").read_text()
    page = (DOCS / "instrumentation.md").read_text()
    read = set(re.findall(r'"((?:OTEL|INSTRUMENTATION)_[A-Z_]+[A-Z])"', source))
    # Relatives of one variable, checked for the exporter that reads them, and named as such.
    relatives = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_BSP_EXPORT_TIMEOUT"}
    assert {name for name in read - relatives if name not in page} == set()


def test_every_link_between_pages_leads_somewhere() -> None:
    root = DOCS.parent
    for page in [*DOCS.glob("*.md"), *root.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
            if not target.startswith(("http://", "https://")):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
