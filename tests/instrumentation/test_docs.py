"""The pages about the library say what the library does."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

from instrumentation import Settings
from instrumentation.extras import remedy
from instrumentation.reference import reference
from instrumentation.variables import READERS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_metrics_page_is_what_the_contract_says() -> None:
    assert (DOCS / "metrics.md").read_text() == reference(), "run `make generate`"


def test_the_first_samples_of_the_page_run_and_say_what_they_set() -> None:
    page = (DOCS / "instrumentation.md").read_text()
    first, second = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[:2]
    code = f"{first}\nprint(telemetry.settings.service_name)\ntelemetry.uninstrument()\n"
    code += f"{second}\nprint(telemetry.settings.service_name, telemetry.settings.traces_exporter)"
    environ = {**os.environ, "OTEL_SERVICE_NAME": "shop", "OTEL_TRACES_EXPORTER": "none"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == "shop\norders none\n"


def test_every_variable_that_is_read_is_documented() -> None:
    page = (DOCS / "instrumentation.md").read_text()
    read = {name for name, _ in READERS.values()} | {"OTEL_PROPAGATORS"}
    assert {name for name in read if name not in page} == set()


def test_every_setting_is_documented_with_its_variable() -> None:
    page, docstring = (DOCS / "instrumentation.md").read_text(), inspect.getdoc(Settings) or ""
    for field in fields(Settings):
        assert f"`{field.name}`" in page
        assert f"\n    {field.name}: " in docstring
    for name, _ in READERS.values():
        assert name in docstring


def test_every_page_installs_it_as_the_readme_does() -> None:
    root = DOCS.parent
    (command,) = re.findall(r"pip install '(\S+)\[all\]'", (root / "README.md").read_text())
    for page in [*DOCS.glob("*.md"), *root.glob("*.md")]:
        for found in re.findall(
            r"pip install '?(\S*fastapi-observability-bundle)", page.read_text()
        ):
            assert found == command, page.name
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for extra in extras:
        assert remedy(extra).startswith(f"pip install '{command}[{extra}]'")


def test_every_link_between_pages_leads_somewhere() -> None:
    root = DOCS.parent
    for page in [*DOCS.glob("*.md"), *root.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
            if not target.startswith(("http://", "https://")):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
