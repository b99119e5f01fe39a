"""Looks the pinned versions up among known vulnerabilities: make audit.

pip-audit is installed into an environment of its own for this. Where it cannot be had, or what it
asks knows none of the packages, nothing is said of them, and that is no failure; a vulnerability
that is found is one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

TOOL = "pip-audit==2.10.1"
PINS = Path(__file__).resolve().parents[1] / "constraints.txt"


def judge(report: Any) -> tuple[list[str], bool]:
    """What there is to say of pip-audit's report, None if there is none, and whether it will do."""
    packages = report["dependencies"] if report else []
    asked = [item for item in packages if "skip_reason" not in item]
    if not asked:
        return ["audit: the list of vulnerabilities cannot be reached; nothing was checked"], True
    lines = [
        f"audit: {item['name']} {item['version']}: {found['id']}, mended in "
        f"{', '.join(found['fix_versions']) or 'no version yet'}"
        for item in asked
        for found in item["vulns"]
    ]
    skipped = [item["name"] for item in packages if "skip_reason" in item]
    unknown = [f"audit: nothing is known of {', '.join(skipped)}"] if skipped else []
    done = f"audit: {len(asked)} packages checked, {len(lines)} vulnerabilities"
    return [*lines, *unknown, done], not lines


def report() -> Any:
    """What pip-audit says of the pins; None if it cannot be asked."""
    # The pins are for rustqa, and not for what checks them.
    env = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    with tempfile.TemporaryDirectory() as scratch:
        venv.create(scratch, with_pip=True)
        python = str(Path(scratch) / "bin" / "python")
        install = [python, "-m", "pip", "install", "--quiet", TOOL]
        if subprocess.run(install, env=env, capture_output=True).returncode:
            return None
        ask = [
            *(python, "-m", "pip_audit", "--requirement", str(PINS), "--no-deps", "--disable-pip"),
            *("--vulnerability-service", "pypi", "--format", "json", "--progress-spinner", "off"),
        ]
        said = subprocess.run(ask, env=env, capture_output=True, text=True).stdout
    return json.loads(said) if said.startswith("{") else None


def main() -> int:
    """Prints what was found."""
    lines, good = judge(report())
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
