#!/usr/bin/env python3
"""Options stand in one table; help, man pages and completions say the same ones.

- what packaging/completions/ holds is what `make` there makes of --help;
- each option of --help, with its letter and argument, has its entry in the command's page in docs/man/, and no other has;
- bash, zsh and fish themselves complete commands, options, values and files with it (where they are installed).
"""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMPLETIONS = os.path.join(TOP, "packaging", "completions")
failed = 0


def check(ok, what):
    global failed
    if not ok:
        failed += 1
        print("FAILED:", what)


def help_of(program, *words):
    return subprocess.run([program, *words, "--help"], check=True, capture_output=True, text=True).stdout


def helped(text):
    """The options of a help: {(letter, name, argument)}."""
    return {(m[1], m[2], m[3]) for m in
            re.finditer(r"^  (?:-(\w), |    )--([a-z0-9-]+)(?: (\S+))?(?= |$)", text.split("\nfaults")[0], re.M)}


def documented(page):
    """Those of a page: entries such as **-p**, **--policy** *FILE*."""
    with open(page, encoding="utf-8") as f:
        text = f.read()
    return {(m[1], m[2], m[3]) for m in
            re.finditer(r"^(?:\*\*-(\w)\*\*, )?\*\*--([a-z0-9-]+)\*\*(?: \*(\S+)\*)?\n: ", text, re.M)}


def pages(program):
    commands = re.findall(r"^  ([a-z]+)(?: \S+)* {2,}\S", help_of(program), re.M)
    check(len(commands) >= 9, f"commands of --help: {commands}")
    for command in commands:
        page = os.path.join(TOP, "docs", "man", f"qosmark-{command}.1.md")
        if not os.path.exists(page):
            check(False, f"{command} has no man page")
            continue
        said = helped(help_of(program, command))
        if command == "probe":
            names = {name for _, name, _ in said}
            said |= {o for o in helped(help_of(program, "probe", "--service", "sip")) if o[1] not in names}
        there = documented(page)
        for o in sorted(said - there, key=str):
            check(False, f"{command}: --help has {o}, the man page has not")
        for o in sorted(there - said, key=str):
            check(False, f"{command}: the man page has {o}, --help has not")
        check(len(said) > 3, f"{command}: options were read")
    with open(os.path.join(TOP, "docs", "man", "qosmark.1.md"), encoding="utf-8") as f:
        main = f.read()
    for command in commands:
        check(f"\n**{command}**" in main and f"**qosmark-{command}**(1)" in main, f"qosmark(1) names {command}")


CASES = [  # what is typed, one thing that is offered, one that must not be
    (["qosmark", "au"], "audit", "live"),
    (["qosmark", "audit", "--write"], "--write-violations", "--policy"),
    (["qosmark", "audit", "-f", "ht"], "html", "text"),
    (["qosmark", "generate", "--fault", "blea"], "bleached", "one-way"),
    (["qosmark", "probe", "--classes", "oa"], "oa", "voice"),
    (["qosmark", "policy", "conv"], "convert", "check"),
    (["qosmark", "report", "reco"], "records.jsonl", "--policy"),
    (["qosmark", "live", "--layer", "in"], "inner", "outer"),
]


def bash(words, folder):
    script = (f". {COMPLETIONS}/qosmark.bash\ncompopt() {{ :; }}\nCOMP_WORDS=(\"$@\")\n"
              "COMP_CWORD=$(($# - 1))\n_qosmark\nprintf '%s\\n' \"${COMPREPLY[@]}\"")
    return subprocess.run(["bash", "--norc", "-c", script, "bash", *words], cwd=folder, capture_output=True, text=True,
                          check=True).stdout.split()


def fish(words, folder):
    script = f"source {COMPLETIONS}/qosmark.fish; complete -C {chr(39)}{' '.join(words)}{chr(39)}"
    env = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder, XDG_DATA_HOME=folder)
    out = subprocess.run(["fish", "--no-config", "-c", script], cwd=folder, capture_output=True, text=True, check=True,
                         env=env).stdout
    return [line.split("\t")[0] for line in out.split("\n")]


def zsh(words, folder):
    """zsh completes only at a terminal: it is typed, and what stands on the line afterwards is read."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.update(TERM="dumb", ZDOTDIR=folder, PS1="", COLUMNS="200")
        os.execvp("zsh", ["zsh", "-f", "-i"])
    seen = ""

    def wait(mark, seconds=20):
        nonlocal seen
        end = time.monotonic() + seconds
        while mark not in seen and time.monotonic() < end:
            if select.select([fd], [], [], 0.2)[0]:
                try:
                    seen += os.read(fd, 65536).decode(errors="replace")
                except OSError:
                    break
        return mark in seen

    try:
        # the command line is printed by a widget instead of being run, so that nothing is started
        setup = (f"PS1=; fpath=({COMPLETIONS} $fpath); autoload -Uz compinit; compinit -D -u; unsetopt beep; "
                 "show() { print -r -- \"<<$BUFFER>>\"; BUFFER=; zle accept-line }; zle -N show; bindkey '^X' show; "
                 "print rea''dy\n")
        os.write(fd, setup.encode())
        if not wait("ready"):
            return None
        seen = ""
        os.write(fd, (" ".join(words) + "\t\x18").encode())
        return re.findall(r"<<(.*?)>>", seen, re.S) if wait(">>") else None
    finally:
        os.close(fd)
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def shells():
    with tempfile.TemporaryDirectory() as folder:
        open(os.path.join(folder, "records.jsonl"), "w").close()
        for name, complete in (("bash", bash), ("fish", fish)):
            if not shutil.which(name):
                print(f"{name} is not installed: its completion was not tried")
                continue
            for words, offered, other in CASES:
                got = complete(words, folder)
                check(any(g.startswith(offered) for g in got), f"{name}: {' '.join(words)} offers {got}, not {offered}")
                check(not any(g == other for g in got), f"{name}: {' '.join(words)} offers {other}")
        if not shutil.which("zsh"):
            print("zsh is not installed: its completion was not tried")
            return
        for words, offered, _ in CASES:
            got = zsh(words, folder)
            check(got and any(offered in g for g in got), f"zsh: {' '.join(words)} became {got}")


def main():
    program = sys.argv[1]
    made = subprocess.run([os.path.join(COMPLETIONS, "make"), "--check", program], capture_output=True, text=True)
    check(made.returncode == 0, made.stderr.strip())
    pages(program)
    shells()
    print("options: help, man pages and completions " + ("differ" if failed else "agree"))
    sys.exit(1 if failed else 0)


main()
