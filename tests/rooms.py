#!/usr/bin/env python3
"""Holds src/ against what its rooms say of themselves in their CMakeLists.txt and docs/ARCHITECTURE.md.

A room is a folder with a qosmark_room() in its CMakeLists.txt, or cli. It includes its own headers and those of the
rooms that its DEPENDS names, all of which the root CMakeLists.txt adds before it; a foreign library belongs to the
rooms of OWNERS. Below cli nothing prints, exits, reads the environment or keeps variables that outlive a call, and only
what acts at a time reads the clock. Prints each offence and exits 1 if there is any.
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
OWNERS = [
    (r"pcap(/pcap)?\.h", {"capture"}),
    (r"(archive|archive_entry|zlib)\.h", {"capture"}),
    (r"libnet\.h", {"probe"}),
    (r"sqlite3\.h", {"store"}),
    (r"nats(/.*)?\.h", {"bus"}),
    (r"libfyaml\.h|ldns/.*", {"policy"}),
    (r"jansson\.h", {"report", "fleet"}),
    (r"openssl/.*", {"probe", "anonymize"}),
    (r"microhttpd\.h", {"http"}),
    (r"n?curses\.h|term\.h", {"screen"}),
    (r"cap-ng\.h|seccomp\.h|linux/landlock\.h", {"cli"}),
]
NEVER_BELOW_CLI = re.compile(
    r"\b(v?printf|puts|putchar|perror|_?exit|abort|(secure_)?getenv|setlocale)\s*\(|\bstd(out|err)\b")
CLOCK = re.compile(r"\b(time|gettimeofday|clock_gettime|clock|clock_(monotonic|wall)_ns)\s*\(")
THE_CLOCK = {"src/base/clock.c", "src/base/clock.h"}
# what acts at a time, rather than on the times of a capture
HAVE_A_CLOCK = {"probe", "engine", "http", "live", "screen", "cli", "collect", "bus"}


NO_VARIABLE = {"typedef", "return", "goto", "_Static_assert"}
THE_TERMINAL = "src/cli/screen/backend_ncurses.c"  # is given back whatever ends the program


class Room:
    def __init__(self, name, folder, depends):
        self.name, self.folder, self.depends = name, folder, depends


def rooms_of(top):
    found = {}
    for path in sorted((top / "src").rglob("CMakeLists.txt")):
        match = re.search(r"qosmark_room\((\w+)(?:\s+DEPENDS\s+([^)]*))?\)", path.read_text())
        if match:
            found[match[1]] = Room(match[1], path.parent, (match[2] or "").split())
    found["cli"] = Room("cli", top / "src/cli", list(found))
    return found


def bare(text):
    """C without comments and without what stands in quotes; each line keeps its number."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: '""' if m[0][0] in "\"'" else "\n" * m[0].count("\n"), text, flags=re.S)


def statements(text):
    """(line, statement, whether at file scope) of bare C, without what stands in the braces of types and values."""
    text = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: "\n" * m[0].count("\n"), text, flags=re.M)
    stack, current, begun, line = [], "", 1, 1  # on the stack: whether the brace opens a block
    for c in text:
        line += c == "\n"
        if c == "{":
            before = current.strip()
            if stack:
                block = stack[-1] and (not before or re.match(r"(if|for|while|switch|else|do|case|default)\b", before))
            else:
                block = before.endswith(")") and "=" not in before  # a function
            stack.append(bool(block))
            current = "" if block else current
        elif c == "}" and stack:
            current = "" if stack.pop() else current + ("{}" if all(stack) else "")
        elif not all(stack):
            continue
        elif c == ";" and current.count("(") == current.count(")"):
            yield begun, " ".join(current.split()), not stack
            current = ""
        else:
            if not current.strip():
                current, begun = "", line
            current += c


def is_variable(statement, at_file_scope, function_types=()):
    """A declaration of something that outlives a call and can be written to."""
    words = re.match(r"(?:\w+\s+)*", statement)[0].split()
    if not words or words[0] in NO_VARIABLE or words[0] in function_types:
        return False
    if not at_file_scope and "static" not in words:
        return False
    if re.match(r"(struct|union|enum)\s+\w*\s*(\{\})?$", statement):
        return False
    head = re.sub(r"__attribute__\s*\(\(.*?\)\)|_Alignas\s*\([^)]*\)", "", statement.split("=")[0])
    to_function = re.match(r"[^(]*\(\s*\*\s*(const\s+)?\w*\s*(\[[^]]*\])?\s*\)\s*\(", head)
    if to_function:
        return to_function[1] is None
    return "(" not in head and not re.search(r"\bconst\b", head.rsplit("*", 1)[-1])


VARIABLES = [
    "static int n;", "int n = 3;", "static const char *name;", "static struct pair pairs[2] = {{1}, {2}};",
    "static struct { int a; } one;", "static int (*hook)(void);", "_Thread_local int n;", "static struct a *all[4];",
    "int f(void)\n{\n    static int n;\n    return n++;\n}",
    "int f(void)\n{\n    for (int i = 0; i < 2; i++) {\n        static const char *t = 0;\n    }\n}",
    "int f(void)\n{\n    say(&(struct a){.n = 1});\n    static bool once = false;\n}",
]
NONE = [
    "static const int n = 3;", "static const char *const names[] = {\"a\", \"b\"};", "extern const struct way ways[8];",
    "static int (*const hooks[])(void) = {f, g};", "int f(int (*call)(void *), void *user);", "struct a { int n; };",
    "static const struct { int a; } all[] = {{1}};", "enum { A, B };", "typedef bool (*match)(int);", "struct a;",
    "int f(void)\n{\n    int n = 0;\n    for (; n < 3; n++) {\n        f();\n    }\n    static const int k[] = {1};\n}",
    "void say(const char *f, ...)\n    __attribute__((format(printf, 1, 2)));",
    "static struct a f(void)\n{\n    struct a a = {0};\n    return (struct a){1};\n}\nstatic int g(void);",
]


def check_itself():
    for wanted, samples in ((1, VARIABLES), (0, NONE)):
        for sample in samples:
            if sum(is_variable(s, scope) for _, s, scope in statements(bare(sample))) != wanted:
                sys.exit(f"this script cannot read C: {sample!r}")


def faults_of(room, path, rooms, function_types):
    text = path.read_text()
    outside = room.name == "cli" or str(path.relative_to(TOP)) == THE_TERMINAL
    for number, line in enumerate(text.splitlines(), 1):
        include = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not include:
            continue
        for pattern, owners in OWNERS:
            if re.fullmatch(pattern, include[2]) and room.name not in owners:
                yield number, f"{include[2]} belongs to {' and '.join(sorted(owners))}"
        if include[1] == '"':
            folder = "/".join(include[2].split("/")[:-1])
            other = next((r for r in rooms.values() if str(r.folder.relative_to(TOP / "src")) == folder), None)
            if not other:
                yield number, f"{include[2]} is in no room"
            elif other is not room and other.name not in room.depends:
                yield number, f"{room.name} does not depend on {other.name}"
    code = bare(text)
    for number, line in enumerate(code.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        if not outside and NEVER_BELOW_CLI.search(line):
            yield number, f"below cli nothing prints, exits or reads the environment: {line.strip()}"
        if room.name not in HAVE_A_CLOCK and str(path.relative_to(TOP)) not in THE_CLOCK and CLOCK.search(line):
            yield number, f"only what acts at a time reads the clock: {line.strip()}"
    if not outside:
        for number, statement, at_file_scope in statements(code):
            if is_variable(statement, at_file_scope, function_types):
                yield number, f"below cli nothing is kept in variables: {statement}"


def main():
    check_itself()
    rooms, bad = rooms_of(TOP), []
    order = re.findall(r"^add_subdirectory\(src/(\w+)\)", (TOP / "CMakeLists.txt").read_text(), re.M)
    for room in rooms.values():
        for other in room.depends:
            if room.name in order and other in order and order.index(other) >= order.index(room.name):
                bad.append(f"{room.name} depends on {other}, which CMakeLists.txt adds later")
    paths = sorted((TOP / "src").rglob("*.[ch]"))
    function_types = {name for path in paths for name in re.findall(r"^typedef [^;(]*?(\w+)\(", path.read_text(), re.M)}
    homes = {room.folder: room for room in rooms.values()}
    for path in paths:
        if path.parent not in homes:
            bad.append(f"{path.relative_to(TOP)}: its folder is no room")
            continue
        for number, what in faults_of(homes[path.parent], path, rooms, function_types):
            bad.append(f"{path.relative_to(TOP)}:{number}: {what}")
    if len(rooms) < 9 or len(paths) < 300:
        sys.exit(f"only {len(rooms)} rooms and {len(paths)} files found: is this script where it should be?")
    print("\n".join(bad) if bad else f"{len(rooms)} rooms of {len(paths)} files keep to their dependencies")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
