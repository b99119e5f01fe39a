"""What docs/deploying.md and the files beside it say holds."""

from __future__ import annotations

import ast
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes import REPOSITORY
from rustqa.cli import main

PAGE = (REPOSITORY / "docs" / "deploying.md").read_text(encoding="utf-8")
UNITS = sorted((REPOSITORY / "docs" / "deploy").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
ANALYZE = shutil.which("systemd-analyze")
# Whoever attacks a service gets at little: systemd's own words for it are "OK" below 4.5.
MOST_EXPOSED = 2.0
needs_systemd = pytest.mark.skipif(not ANALYZE, reason="needs systemd-analyze")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def _help(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    return capsys.readouterr().out


def test_its_links_lead_somewhere() -> None:
    """Every file that it links to is there."""
    links = [link for link in re.findall(r"\]\(([^)#]+)", PAGE) if "://" not in link]
    assert links
    assert [link for link in links if not (REPOSITORY / "docs" / link).exists()] == []


def test_its_options_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """Those of rustqa's commands, and those that stand in the text by themselves."""
    texts = [text for block in _blocks("") for text in re.findall(r"rustqa serve (.*)", block)]
    texts += re.findall(r"`(--[^`]*)`", PAGE)
    options = {option for text in texts for option in re.findall(r"--[a-z-]+", text)}
    assert len(options) > 8
    known = _help("serve", capsys)
    assert {option for option in options if option not in known} == set()
    assert "--index" in _help("index", capsys)


@pytest.mark.parametrize("text", [PAGE, DOCKERFILE, *(unit.read_text() for unit in UNITS)])
def test_its_variables_are_read(text: str) -> None:
    """Every RUSTQA_ variable that is named is one that rustqa looks at."""
    sources = [file.read_text() for file in (REPOSITORY / "src" / "rustqa").rglob("*.py")]
    named = set(re.findall(r"RUSTQA_[A-Z_]+", text))
    assert {name for name in named if not any(f'"{name}"' in source for source in sources)} == set()


@pytest.mark.skipif(not shutil.which("caddy"), reason="needs Caddy")
def test_its_caddyfile_is_one(tmp_path: Path) -> None:
    """As Caddy reads it."""
    file = tmp_path / "Caddyfile"
    file.write_text(_blocks("caddy")[0])
    command = ["caddy", "adapt", "--adapter", "caddyfile", "--config", str(file)]
    adapted = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "127.0.0.1:8000" in json.dumps(json.loads(adapted))


@pytest.mark.skipif(not shutil.which("nginx"), reason="needs nginx")
def test_its_nginx_server_is_one(tmp_path: Path) -> None:
    """As nginx reads it, with no certificate at hand."""
    server = re.sub(r".*ssl_certificate.*\n", "", _blocks("nginx")[0]).replace("443 ssl", "443")
    file = tmp_path / "nginx.conf"
    places = f"pid {tmp_path}/pid; error_log stderr;"
    file.write_text(f"{places}\nevents {{}}\nhttp {{\n{server}\n}}\n")
    command = ["nginx", "-t", "-p", str(tmp_path), "-c", str(file)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert "syntax is ok" in run.stderr, run.stderr


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path) -> None:
    """Without a warning, but for the program, which is not installed there here."""
    for each in UNITS:
        text = each.read_text().replace("/opt/rustqa/bin/rustqa", sys.executable)
        (tmp_path / each.name).write_text(text)
    command = [str(ANALYZE), "verify", "--man=no", str(tmp_path / unit.name)]
    run = subprocess.run(command, capture_output=True, text=True)
    own = [line for line in run.stderr.splitlines() if "rustqa" in line]
    assert (run.returncode, own) == (0, [])


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_the_services_are_given_little(unit: Path) -> None:
    """As systemd rates what an attacker could do from within."""
    command = [str(ANALYZE), "security", "--offline=true", "--no-pager", str(unit)]
    said = subprocess.run(command, capture_output=True, text=True).stdout
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) <= MOST_EXPOSED


def test_the_service_stops_as_the_server_does() -> None:
    """With time for what is under way: SIGTERM drains for 30 seconds, SIGHUP reloads."""
    text = (REPOSITORY / "docs" / "deploy" / "rustqa.service").read_text()
    assert "ExecReload=/bin/kill -HUP $MAINPID" in text
    assert "KillSignal=SIGTERM" in text
    assert int(re.findall(r"TimeoutStopSec=(\d+)", text)[0]) > 30


def test_the_image_has_all_dependencies_but_torch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is installed is what pyproject.toml names, with Qdrant's client, but for
    sentence-transformers and the encoder's package, which comes without what it needs."""
    monkeypatch.chdir(REPOSITORY)
    (code,) = re.findall(r'RUN python -c "(import pathlib.*?)" \\\n', DOCKERFILE, re.DOTALL)
    exec(code.replace("\\\n", ""))  # noqa: S102
    listed = set(capsys.readouterr().out.split("\n")) - {""}
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = {*project["dependencies"], *project["optional-dependencies"]["qdrant"]}
    left_out = {name for name in wanted if name.startswith(("sentence-transf", "gt-all"))}
    assert len(left_out) == 2
    assert listed == wanted - left_out


def test_the_image_is_run_by_nobody_in_particular() -> None:
    """And is stopped and asked as the server wants it."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    for line in ("USER 10001", "EXPOSE 8000", "STOPSIGNAL SIGTERM", 'ENTRYPOINT ["rustqa"]'):
        assert f"\n{line}\n" in last
    assert last.index("USER") > last.index("RUN")


def test_only_what_the_image_needs_is_sent_to_it() -> None:
    """Everything is left out but what is named, and what is named is there."""
    lines = (REPOSITORY / ".dockerignore").read_text().split()
    assert lines[0] == "*"
    taken = {line[1:] for line in lines if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    assert taken == {name for names in copied for name in names.split()}
    assert all((REPOSITORY / name).exists() for name in taken)


@contextmanager
def _answering(status: int) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answers /readyz alone."""
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_image_tells_whether_it_is_ready(status: int, healthy: bool) -> None:
    """By what /readyz says."""
    (listed,) = re.findall(r"HEALTHCHECK .*? CMD (\[.*?\])", DOCKERFILE, re.DOTALL)
    command = ast.literal_eval(listed.replace("\\\n", ""))
    with _answering(status) as port:
        code = command[2].replace("8000", str(port))
        assert (subprocess.run([sys.executable, "-c", code]).returncode == 0) == healthy
