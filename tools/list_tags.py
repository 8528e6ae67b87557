"""Lists the tags of a tree of logs that tests/suite/tags.tsv does not have yet, as rows for it, read as they are now.

Usage: python3 tools/list_tags.py PROGRAM PATH…

Look at each row before it goes into the table: what the program reads is not always what the name means.
"""

import json
import pathlib
import subprocess
import sys

TABLE = pathlib.Path(__file__).parent.parent / "tests" / "suite" / "tags.tsv"


def known():
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield line.split("\t")[1]


def main():
    program, *paths = sys.argv[1:]
    seen = set(known())
    for path in paths:
        arguments = [program, "status", "--no-config", "--format", "json", path]
        for run in json.loads(subprocess.run(arguments, check=True, capture_output=True).stdout)["runs"]:
            for series in run["series"]:
                tag = series["tag"]
                if tag not in seen and not series.get("context"):
                    seen.add(tag)
                    goal = series["goal"].replace("unknown", "-")
                    print(run["run"], tag, series["split"], series["role"], goal, sep="\t")


main()
