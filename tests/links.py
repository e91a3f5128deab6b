#!/usr/bin/env python3
"""links.py FILE.md...: every link of these documents that is no address leads to a file that is there, and to a heading
that the file has. Prints each that does not and exits 1 if there is any."""
import pathlib
import re
import sys

LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")


def prose(text):
    """Without what is set as code."""
    return re.sub(r"^```.*?^```|^(?: {4}|\t).*?$|`[^`\n]*`", "", text, flags=re.S | re.M)


def anchors(path):
    """As GitHub and lowdown make them of headings."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    headings = re.findall(r"^#+ +(.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def dead(document):
    for target in LINK.findall(prose(document.read_text(encoding="utf-8"))):
        name, _, anchor = target.partition("#")
        path = document.parent / name if name else document
        if re.match(r"\w+:", target):
            continue
        if not path.exists():
            yield f"{target} is not there"
        elif anchor and anchor not in anchors(path):
            yield f"{target}: no such heading"


def main():
    documents = [pathlib.Path(name) for name in sys.argv[1:]]
    bad = [f"{document}: {what}" for document in documents for what in dead(document)]
    links = sum(len(LINK.findall(prose(document.read_text(encoding="utf-8")))) for document in documents)
    if not links:
        sys.exit("no links were found: are these the documents?")
    print("\n".join(bad) if bad else f"{links} links of {len(documents)} documents lead somewhere")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
