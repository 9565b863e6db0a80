"""Write hashes.txt: the pins of constraints.txt with the SHA-256 of the files that pip would install of them.

Usage: .venv/bin/python scripts/hashes.py. Asks the index that pip is set up with, for each Python of PYTHONS on Linux
x86-64, and downloads no package. torch is left out: each index has builds of its own of one version, for CPU and CUDA,
and these bring libraries of their own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
UNHASHED = ("torch",)
HEAD = """# The pins of constraints.txt with the SHA-256 of their files, which `make setup` checks before installing
# (CPython 3.11 to 3.13, Linux x86-64). Made by scripts/hashes.py, which says why torch is not here.
"""


def main() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if "==" in line]
    wanted = [line for line in pins if line.split("==")[0] not in UNHASHED]
    found = {name: set[str]() for name in wanted}
    for python in PYTHONS:
        for name, version, sha256 in installed(wanted, python):
            found[f"{name}=={version}"].add(sha256)
    lines = [" \\\n    ".join([pin, *(f"--hash=sha256:{each}" for each in sorted(found[pin]))]) for pin in wanted]
    (ROOT / "hashes.txt").write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def installed(pins: list[str], python: str) -> list[tuple[str, str, str]]:
    """Name, version and SHA-256 of what pip would install."""
    with tempfile.TemporaryDirectory() as folder:
        report, listed = Path(folder) / "report.json", Path(folder) / "pins.txt"
        listed.write_text("\n".join(pins), encoding="utf-8")
        options = ["--dry-run", "--no-deps", "--ignore-installed", "--only-binary=:all:", "--python-version", python]
        command = [sys.executable, "-m", "pip", "install", "-q", *options, "--target", folder, "--report", report]
        subprocess.run([*command, "-r", listed], check=True)
        entries = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [
        (
            re.sub(r"[-_.]+", "-", entry["metadata"]["name"]).lower(),
            entry["metadata"]["version"],
            entry["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for entry in entries
    ]


if __name__ == "__main__":
    main()
