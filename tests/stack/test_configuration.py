"""The configuration files are consistent: with `.env`, and native with Compose."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.components import components
from stack.environment import REPOSITORY, load
from stack.options import Options
from stack.programs import NAMES, programs
from stack.render import prometheus_config, render

TARGETS = REPOSITORY / "stack" / "targets"


@pytest.fixture(autouse=True)
def no_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Command lines are compared here; nothing is run."""
    monkeypatch.setenv("STACK_BINARIES", "/prebuilt")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (REPOSITORY / "docker-compose.yml").read_text()
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return services


def flags(words: list[str]) -> dict[str, str]:
    pairs = (word.removeprefix("--").partition("=") for word in words if word.startswith("--"))
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_compose_gives_the_same_flags_as_the_native_stack(
    compose: dict[str, Any], tmp_path: Path, name: str
) -> None:
    (program,) = programs(Options(data=tmp_path, only=(name,)))
    native = flags(list(program.command))
    # Inside a container the default address, all interfaces of the container, is right.
    del native["web.listen-address"]
    contained = flags(compose[name]["command"])
    assert native.keys() == contained.keys()
    places = ("path", "file", "assets")
    switches = [flag for flag in native if not any(word in flag for word in places)]
    expanded = {
        flag: re.sub(r"\$\{(\w+)\}", lambda found: load()[found[1]], contained[flag])
        for flag in switches
    }
    assert expanded == {flag: native[flag] for flag in switches}


def test_redis_keeps_jobs_alike_natively_and_in_compose(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    (program,) = programs(Options(data=tmp_path, only=("redis",)))

    def options(words: Any) -> dict[str, str]:
        return dict(zip(words[1::2], words[2::2], strict=True))

    native, contained = options(program.command), options(compose["redis"]["command"])
    for place in ("--bind", "--port", "--dir"):
        native.pop(place)
        contained.pop(place, None)
    assert native == contained
    assert native["--appendonly"] == "yes"
    assert native["--maxmemory-policy"] == "noeviction"


def test_every_image_is_pinned_by_the_environment_file(compose: dict[str, Any]) -> None:
    built = {name for name, service in compose.items() if "build" in service}
    for name in compose.keys() - built:
        tag = compose[name]["image"].rpartition(":")[2]
        assert re.fullmatch(r"v?\$\{\w+_VERSION\}", tag), name


def test_every_port_is_published_on_loopback_and_comes_from_the_environment_file(
    compose: dict[str, Any],
) -> None:
    published = [port for service in compose.values() for port in service.get("ports", [])]
    names = [re.fullmatch(r"127\.0\.0\.1:\$\{(\w+)\}:\d+", port) for port in published]
    assert all(names), published
    declared = {name for name in load() if name.endswith("_PORT")}
    assert {found[1] for found in names if found} == declared


def test_a_target_of_compose_is_a_service_and_its_inner_port(compose: dict[str, Any]) -> None:
    inner = {
        f"{name}:{port.rpartition(':')[2]}"
        for name, service in compose.items()
        for port in service.get("ports", [])
    }
    for path in TARGETS.glob("*.json"):
        for group in json.loads(path.read_text()):
            assert set(group["targets"]) <= inner, path


def test_native_targets_have_the_jobs_of_compose(tmp_path: Path) -> None:
    options = Options(data=tmp_path)
    render(options)
    for path in TARGETS.glob("*.json"):
        rendered = json.loads((options.config / "targets" / path.name).read_text())
        committed = json.loads(path.read_text())
        jobs = [[group.get("labels") for group in groups] for groups in (rendered, committed)]
        assert jobs[0] == jobs[1]


def test_every_receiver_of_alertmanager_is_the_demo_s(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    options = Options(data=tmp_path)
    render(options)
    rendered = yaml.safe_load(options.alertmanager_file.read_text())
    committed = yaml.safe_load(options.alertmanager_config.read_text())
    assert rendered["route"] == committed["route"]
    assert [list(Path("/").glob(each[1:])) for each in rendered["templates"]] != [[]]
    for receiver in rendered["receivers"]:
        (hook,) = receiver["webhook_configs"]
        native = Path(hook["url_file"]).read_text()
        assert native == f"http://{options.address('RECEIVER_PORT')}/{receiver['name']}"
        contained = (REPOSITORY / "stack" / "receivers" / f"{receiver['name']}.url").read_text()
        assert contained == f"http://receiver:9095/{receiver['name']}"
    mounted = "./stack/receivers:/etc/alertmanager/alerts/receivers:ro"
    assert mounted in compose["alertmanager"]["volumes"]


def test_a_user_s_own_alertmanager_configuration_is_left_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "own.yml"
    assert Options(data=tmp_path, alertmanager_config=own).alertmanager_file == own


def test_a_service_s_job_is_its_telemetry_s_name(compose: dict[str, Any], tmp_path: Path) -> None:
    jobs = {group["labels"]["job"] for group in json.loads((TARGETS / "services.json").read_text())}
    for program in programs(Options(data=tmp_path, only=tuple(jobs))):
        assert program.environment["OTEL_SERVICE_NAME"] == program.name
        assert compose[program.name]["environment"]["OTEL_SERVICE_NAME"] == program.name


def test_the_builder_s_components_have_the_version_of_the_image() -> None:
    manifest = yaml.safe_load((REPOSITORY / "otel-collector" / "builder.yaml").read_text())
    version = load()["OTELCOL_VERSION"]
    assert manifest["dist"]["version"] == version
    for kind in ("receivers", "processors", "exporters", "extensions", "connectors"):
        for entry in manifest[kind]:
            assert entry["gomod"].endswith(f" v{version}")


def test_no_pipeline_acknowledges_what_only_memory_holds() -> None:
    for path in ("otel-collector/config.yaml", "stack/jaeger/config.yaml"):
        pipelines = yaml.safe_load((REPOSITORY / path).read_text())["service"]["pipelines"]
        for pipeline in pipelines.values():
            assert "batch" not in pipeline.get("processors", [])


def test_every_queue_of_the_collector_is_on_disk_and_never_gives_up() -> None:
    config = yaml.safe_load((REPOSITORY / "otel-collector" / "config.yaml").read_text())
    for exporter in config["exporters"].values():
        assert exporter["sending_queue"]["storage"] == "file_storage"
        assert exporter["retry_on_failure"]["max_elapsed_time"] == 0
    metrics = config["exporters"]["otlp_http/prometheus"]["sending_queue"]
    assert metrics["num_consumers"] == 1


def test_scale_one_is_the_committed_file_and_ten_divides_its_intervals() -> None:
    source = (REPOSITORY / "stack" / "prometheus.yml").read_text()
    assert prometheus_config(1) == source
    scaled, plain = yaml.safe_load(prometheus_config(10)), yaml.safe_load(source)
    assert plain["global"]["scrape_interval"] == "15s"
    assert scaled.pop("global") == {"scrape_interval": "1500ms", "evaluation_interval": "1500ms"}
    del plain["global"]
    assert scaled == plain


@pytest.mark.parametrize("scale", [0.9, 10.1])
def test_a_scale_outside_one_to_ten_is_refused(tmp_path: Path, scale: float) -> None:
    with pytest.raises(ValueError, match=f"scale must be from 1 to 10, not {scale}"):
        Options(data=tmp_path, scale=scale)


def test_every_program_has_its_ports_from_the_environment_file(tmp_path: Path) -> None:
    used = [port for program in programs(Options(data=tmp_path)) for port in program.ports]
    assert len(used) == len(set(used))
    assert {*used, "GRAFANA_PORT"} == {name for name in load() if name.endswith("_PORT")}
    assert {program.name for program in programs(Options(data=tmp_path))} == set(NAMES)


def test_a_component_s_folder_changes_with_what_decides_its_build(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {component.name: component.folder for component in components()}
    monkeypatch.setenv("PROMETHEUS_MODULE_VERSION", "0.316.1")
    after = {component.name: component.folder for component in components()}
    assert {name for name in before if before[name] != after[name]} == {"prometheus"}
