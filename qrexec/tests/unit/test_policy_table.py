#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mullion-policy against the table of policies, calls and verdicts, and against broken lines."""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOOL = sys.argv[1]


def run(folder, *arguments):
    return subprocess.run([TOOL, f"--policy-dir={folder}/policy", f"--domains={folder}/domains", *arguments],
                          capture_output=True, text=True)


def parse(text):
    """Yields (kind, name, lines): domains, policies, and calls of the policy before."""
    blocks = [b for b in text.split("\n\n")]
    for block in blocks:
        lines = [l for l in block.split("\n") if l]
        if lines:
            yield lines


def verdict_of(result):
    lines = result.stdout.split("\n")
    words = lines[0].split()
    if words[0] == "allow":
        found = dict(w.split("=") for w in words[1:])
        return ["allow", found["target"]] + ([f"user={found['user']}"] if found["user"] != "DEFAULT" else [])
    if words[0] == "ask":
        return ["ask"] + [l.strip().replace(" (default)", "*") for l in lines[1:] if l]
    return words


def table(folder):
    failed = count = 0
    name = ""
    for lines in parse((HERE / "policy_table.txt").read_text()):
        if lines[0] == "domains":
            (folder / "domains").write_text("\n".join(lines[1:]) + "\n")
        elif lines[0].startswith("policy "):
            name = lines[0]
            (folder / "policy" / "10.policy").write_text("\n".join(lines[1:]) + "\n")
        elif " -> " in lines[0]:
            for line in lines:
                call, expected = line.split(" -> ")
                result = run(folder, "check", *call.split())
                codes = {"allow": 0, "deny": 1, "ask": 2}
                count += 1
                if verdict_of(result) != expected.split() or result.returncode != codes[expected.split()[0]]:
                    failed += 1
                    print(f"{name}: {line}\n  but got: {verdict_of(result)} {result.stderr}")
    print(f"{count} verdicts, {failed} wrong")
    return failed or count < 300


def faults(folder):
    failed = count = 0
    for line in (HERE / "policy_faults.txt").read_text().split("\n"):
        if not line or line.startswith("#"):
            continue
        text, expected = line.split("\t")
        (folder / "policy" / "10.policy").write_text(f"# first line\na.A * work vault allow\n{text}\n")
        result = run(folder, "check", "work", "vault", "a.A")
        count += 1
        if result.returncode != 3 or expected not in result.stderr or "10.policy:3:" not in result.stderr:
            failed += 1
            print(f"{text!r}: expected {expected!r}, got {result.returncode} {result.stderr}")
    print(f"{count} faults, {failed} not seen")
    return failed


def check(what, condition, result):
    if not condition:
        print(f"{what}: {result}")
    return not condition


def files(folder):
    policy, failed = folder / "policy", 0
    for path in policy.iterdir():
        path.unlink()

    def allows(*call):
        return run(folder, "check", *call)
    (policy / "10-a.policy").write_text("a.B * work vault deny\n")
    (policy / "20-b.policy").write_text("a.B * work vault allow\n")
    r = allows("work", "vault", "a.B")
    failed += check("order of files", r.returncode == 1, r)
    (policy / "10-a.policy").rename(policy / "9-a.policy")
    r = allows("work", "vault", "a.B")
    failed += check("C order: 20 before 9", r.returncode == 0, r)
    (policy / ".hidden.policy").write_text("broken\n")
    (policy / "README").write_text("not a policy\n")
    (policy / "30.policy.dpkg-old").write_text("broken\n")
    r = allows("work", "vault", "a.B")
    failed += check("ignored files", r.returncode == 0, r)
    for name in ("Upper.policy", "with space.policy", "ü.policy", "a~b.policy"):
        (policy / name).write_text("")
        r = allows("work", "vault", "a.B")
        failed += check(name, r.returncode == 3 and "name of a policy file" in r.stderr, r)
        (policy / name).unlink()
    (policy / "sub").mkdir()
    (policy / "sub" / "inner.policy").write_text("c.D * work vault allow\n!include ../extra\n")
    (policy / "extra").write_text("e.F * work vault allow\n")
    (policy / "old").write_text("# old words\n$anyvm $anyvm ask,default_target=vault\nwork vault allow target=bank\n")
    (policy / "40.policy").write_text("!include-dir sub\n!include-service g.H +arg old\n!include-service g.I * old\n")
    for call, code in ((("work", "vault", "c.D"), 0), (("work", "vault", "e.F"), 0), (("work", "vault", "g.H+arg"), 2),
                       (("work", "vault", "g.H"), 1), (("work", "vault", "g.I+any"), 2)):
        r = allows(*call)
        failed += check(call, r.returncode == code, r)
    (policy / "extra").write_text("!include extra\n")
    r = allows("work", "vault", "a.B")
    failed += check("a file that includes itself", r.returncode == 3 and "include each other" in r.stderr, r)
    (policy / "extra").write_text("e.F * work vault nonsense\n")
    r = allows("work", "vault", "a.B")
    failed += check("place of a fault in an included file", r.returncode == 3 and "extra:1:18:" in r.stderr, r)
    (policy / "extra").unlink()
    os.symlink("/dev/zero", policy / "extra")
    r = allows("work", "vault", "a.B")
    failed += check("not an ordinary file", r.returncode == 3, r)
    for path in ("extra", "40.policy", "old"):
        (policy / path).unlink()
    r = run(folder, "explain", "work", "vault", "a.B")
    failed += check("explain", "20-b.policy:1: a.B * work vault allow" in r.stdout and r.returncode == 0, r)
    r = run(folder, "lint")
    failed += check("lint", "9-a.policy:1: never decides, as" in r.stdout and r.returncode == 1, r)
    (folder / "domains").write_text("work type=AppVM\nbroken =\n")
    r = allows("work", "vault", "a.B")
    failed += check("broken domain list", r.returncode == 3, r)
    return failed


def shipped(folder):
    """What a machine without rules of its own does."""
    policy = HERE.parents[1] / "policy"
    failed = 0
    (folder / "domains").write_text("work default_dispvm=dvm\nvault\ndvm template_for_dispvms=yes\n")

    def verdict(*call):
        r = subprocess.run([TOOL, f"--policy-dir={policy}", f"--domains={folder}/domains", "check", *call],
                           capture_output=True, text=True)
        return r.stdout.split()[:2] if r.stdout.startswith("allow") else r.stdout.split()[:1] or r.stderr
    for call, expected in (("work vault qubes.Filecopy", ["ask"]), ("work @default qubes.Filecopy", ["ask"]),
                           ("work dom0 qubes.Filecopy", ["deny"]), ("work @dispvm qubes.OpenInVM", ["allow", "target=@dispvm:dvm"]),
                           ("work vault qubes.OpenInVM", ["ask"]), ("work vault qubes.VMShell", ["deny"]),
                           ("work @dispvm qubes.VMShell", ["allow", "target=@dispvm:dvm"]), ("work vault qubes.VMRootShell", ["deny"]),
                           ("work @dispvm qubes.VMRootShell", ["deny"]), ("work dom0 qubes.VMShell", ["deny"]),
                           ("work dom0 qubes.GetDate", ["allow", "target=dom0"]), ("work vault qubes.Gpg2", ["deny"]),
                           ("vault work anything.Else+x", ["deny"]), ("work dom0 anything.Else", ["deny"])):
        got = verdict(*call.split())
        failed += check(f"shipped policy: {call}", got == expected, got)
    r = subprocess.run([TOOL, f"--policy-dir={policy}", "lint"], capture_output=True, text=True)
    return failed + check("lint of the shipped policy", r.returncode == 0, r)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "policy").mkdir()
        return int(bool(sum([table(folder), faults(folder), files(folder), shipped(folder)])))


sys.exit(main())
