"""Refuses what no commit should hold: files over 1 MB, merge marks, trailing blanks, no newline at the end; in pages,
links and pictures in Sphinx's own marks, which hosts of code show raw.

Run by the hook with the names of the changed files; by hand without names over everything that git tracks.
"""

import re
import subprocess
import sys
from pathlib import Path

LARGEST = 1_000_000  # bytes
MERGE_MARK = re.compile(rb"^(<{7}|>{7})( |$)", re.MULTILINE)
TRAILING = re.compile(rb"[ \t]+$", re.MULTILINE)
RAW_ON_HOSTS = re.compile(rb"\{doc\}`|`\{figure\}")


def complaints(path: Path) -> list[str]:
    content = path.read_bytes()
    found = ["is over 1 MB"] if len(content) > LARGEST else []
    if b"\0" in content or path.suffix == ".svg":
        return found
    if MERGE_MARK.search(content):
        found.append("has a merge mark")
    if TRAILING.search(content):
        found.append("has blanks at the end of a line")
    if content and not content.endswith(b"\n"):
        found.append("has no newline at the end")
    if path.parts[0] == "docs" and path.suffix == ".md" and RAW_ON_HOSTS.search(content):
        found.append("has {doc} or {figure}: write [Title](page.md), ![what is seen](figures/...)")
    return found


def main() -> int:
    names = sys.argv[1:] or subprocess.run(["git", "ls-files"], capture_output=True, text=True).stdout.splitlines()
    lines = [f"{name} {text}." for name in names if Path(name).is_file() for text in complaints(Path(name))]
    print("\n".join(lines), file=sys.stderr)
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
