#!/usr/bin/env python3
"""Holds the includes of src/ against the dependencies that each room declares in its CMakeLists.txt.

A room may include headers of the rooms that its DEPENDS names, and its own; pcap.h belongs to capture/ alone, libnet.h
to probe/ alone. Prints each offence and exits 1 if there is any.
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
ONLY_IN = {"pcap.h": "capture", "pcap/pcap.h": "capture", "libnet.h": "probe"}
NEVER_BELOW_CLI = re.compile(r"\b(printf|puts|putchar|exit|abort|getenv)\s*\(")
CLOCK = re.compile(r"\b(time|gettimeofday|clock_gettime)\s*\(")
HAVE_A_CLOCK = {"probe", "engine", "http", "live", "cli"}  # what acts at a time, rather than on the times of a capture


def declared():
    rooms = {}
    for path in sorted((TOP / "src").glob("*/CMakeLists.txt")):
        match = re.search(r"qosmark_room\((\w+)(?:\s+DEPENDS\s+([^)]*))?\)", path.read_text())
        if match:
            rooms[match[1]] = set((match[2] or "").split())
    return rooms


def main():
    rooms, bad = declared(), []
    if len(rooms) < 9:
        sys.exit(f"only {len(rooms)} rooms found: is this script where it should be?")
    rooms["cli"] = set(rooms)
    for room, allowed in rooms.items():
        for path in sorted((TOP / "src" / room).glob("*.[ch]")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                where = f"{path.relative_to(TOP)}:{number}"
                include = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
                if include:
                    header = include[2]
                    if header in ONLY_IN and ONLY_IN[header] != room:
                        bad.append(f"{where}: {header} belongs to {ONLY_IN[header]}/")
                    other = header.split("/")[0]
                    if include[1] == '"' and other in rooms and other != room and other not in allowed:
                        bad.append(f"{where}: {room}/ does not depend on {other}/")
                    continue
                code = re.sub(r'"[^"]*"|/\*.*?\*/|//.*', "", line)
                if room != "cli" and NEVER_BELOW_CLI.search(code):
                    bad.append(f"{where}: below cli/ nothing prints, exits or reads the environment: {line.strip()}")
                if room not in HAVE_A_CLOCK and CLOCK.search(code):
                    bad.append(f"{where}: only what acts at a time reads the clock: {line.strip()}")
    print("\n".join(bad) if bad else f"{len(rooms)} rooms keep to their dependencies")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
