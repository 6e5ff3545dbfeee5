# SPDX-License-Identifier: GPL-2.0-or-later
"""./check: all tests, one line each, and a summary."""

import argparse
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import guest
import image
import machine
import packages
import progress
from progress import Failure, say, step

TOP = image.TOP
GUEST_LIST = TOP / "hypervisor" / "tests" / "guest" / "tests.list"
RINGS = ["build", "unit", "fuzz", "style", "desktop", "guest", "system"]
# What meson's suites are counted as; a suite that is not named here belongs to desktop.
MESON_RINGS = ["unit", "fuzz", "style", "desktop"]
SYSTEM_TIMEOUT = 900

DESCRIPTION = """\
Run all tests. One line each as it ends; the last line is `N passed, N failed, N skipped`.
The exit status is 0 only if none failed.

rings:
  build    gcc and clang, debug and release, warnings are errors
  unit     modules as ordinary processes with ASan and UBSan
  fuzz     decoders under libFuzzer, some seconds each
  style    layers, headers alone, size of the trusted core
  desktop  daemons over the local transport
  guest    bare-metal guests in QEMU, each on Debian's Xen and on Mullion
  system   the whole machine in QEMU
"""


class Results:
    def __init__(self, args):
        self.args = args
        self.counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
        self.failures = []
        self.logs = TOP / "build" / "check" / "logs"
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)

    def wants(self, ring, name):
        full = f"{ring}/{name}"
        return not self.args.filter or any(
            fnmatch.fnmatch(full, f"*{pattern}*") for pattern in self.args.filter)

    def add(self, ring, name, verdict, reason="", seconds=0.0, log=""):
        self.counts[verdict] += 1
        full = f"{ring}/{name}"
        if verdict == "FAIL":
            self.failures.append(f"{full}  {reason}")
        if log:
            path = self.logs / (full.replace("/", "_").replace(" ", "_") + ".log")
            path.write_text(log, errors="replace")
        print(f"{verdict}  {full}  {reason}  [{seconds:.1f} s]".replace("    ", "  "), flush=True)
        if verdict == "FAIL" and log:
            for line in log.replace("\r", "").splitlines()[-30:]:
                print(f"    | {line}", flush=True)

    def summary(self):
        for failure in self.failures:
            print(f"failed: {failure}")
        print(f"{self.counts['PASS']} passed, {self.counts['FAIL']} failed, "
              f"{self.counts['SKIP']} skipped", flush=True)
        return 1 if self.counts["FAIL"] else 0


def run_quietly(command, timeout=1800, env=None):
    """(exit status, output); 124 when it took too long. The whole process group is ended then."""
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=TOP,
                               env={**os.environ, **(env or {})}, start_new_session=True)
    try:
        output = process.communicate(timeout=timeout)[0]
        return process.returncode, output.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output = process.communicate()[0]
        return 124, output.decode(errors="replace") + f"\n(no end in {timeout} s)\n"


def configurations(is_quick):
    """name: (compiler, meson options); the first one is what the other rings use."""
    debug = ["-Dbuildtype=debugoptimized"]
    release = ["-Dbuildtype=release", "-Db_ndebug=true"]
    every = {"gcc-debug": ("gcc", debug), "clang-release": ("clang", release),
             "gcc-release": ("gcc", release), "clang-debug": ("clang", debug)}
    return dict(list(every.items())[:1]) if is_quick else every


def build_folder(name):
    """The first configuration is the one of ./run, so that both share its work."""
    return TOP / "build" if name == "gcc-debug" else TOP / "build" / "check" / name


def build_ring(results, args):
    is_first_built = True
    for name, (compiler, options) in configurations(args.quick).items():
        if not results.wants("build", name) and name != "gcc-debug":
            continue
        folder = build_folder(name)
        start = time.monotonic()
        status, log = 0, ""
        if not (folder / "build.ninja").exists():
            status, log = run_quietly(["meson", "setup", folder, TOP, "-Dwerror=true", *options],
                                      env={"CC": compiler})
        if status == 0:
            status, more = run_quietly(["ninja", "-C", folder])
            log += more
        if results.wants("build", name):
            results.add("build", name, "FAIL" if status else "PASS",
                        seconds=time.monotonic() - start, log=log if status else "")
        if name == "gcc-debug":
            is_first_built = status == 0
    return is_first_built


def meson_rings(results, args, folder, label=""):
    """The tests that meson knows; its suites are our rings."""
    wanted = [ring for ring in MESON_RINGS if ring in args.rings]
    if not wanted:
        return
    names = [test for test in known_tests(folder)
             if test["ring"] in wanted and results.wants(test["ring"], test["name"])]
    if label:
        names = [test for test in names if test["ring"] == "unit"]
    if not names:
        return
    say(f"running {len(names)} of meson's tests{label}")
    start = time.monotonic()
    status, log = run_quietly(["meson", "test", "-C", folder, "--no-rebuild", "--num-processes",
                               args.jobs, *[test["name"] for test in names]],
                              timeout=2400)
    outcomes = meson_outcomes(folder, start)
    for test in names:
        outcome = outcomes.get(test["name"])
        if outcome is None:
            results.add(test["ring"], test["name"] + label, "FAIL", "did not run", log=log)
            continue
        verdict = {"OK": "PASS", "EXPECTEDFAIL": "PASS", "SKIP": "SKIP"}.get(
            outcome["result"], "FAIL")
        reason = "" if verdict == "PASS" else outcome["result"]
        output = outcome.get("stdout", "") + outcome.get("stderr", "")
        if verdict == "SKIP" and output.strip():
            reason = output.strip().splitlines()[-1]
        results.add(test["ring"], test["name"] + label, verdict, reason, outcome["duration"],
                    output if verdict == "FAIL" else "")


def known_tests(folder):
    answer = subprocess.run(["meson", "introspect", "--tests", str(folder)], check=True,
                            stdout=subprocess.PIPE)
    tests = json.loads(answer.stdout)
    for test in tests:
        suites = {suite.split(":")[-1] for suite in test["suite"]}
        test["ring"] = next((ring for ring in MESON_RINGS if ring in suites), "desktop")
    return tests


def meson_outcomes(folder, _start):
    path = pathlib.Path(folder) / "meson-logs" / "testlog.json"
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return {}
    outcomes = {}
    for line in lines:
        record = json.loads(line)
        outcomes[record["name"].split(" / ")[-1].split(":")[-1]] = record
    return outcomes


def guest_ring(results, args):
    """Each guest on Debian's Xen, which decides, and on ours."""
    if not GUEST_LIST.exists():
        results.add("guest", "all", "SKIP", "there are no guest tests")
        return
    image.debian("xen-4.17-amd64")
    jobs = []
    for what in guest.read_list(GUEST_LIST):
        for hypervisor in ("xen", "mullion"):
            name = f"{what.name} on {hypervisor}"
            if hypervisor in args.hypervisors and results.wants("guest", name):
                jobs.append((what, hypervisor, name))
    say(f"running {len(jobs)} guests in QEMU")
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        futures = {pool.submit(one_guest, *job[:2]): job for job in jobs}
        for future in concurrent.futures.as_completed(futures):
            what, hypervisor, name = futures[future]
            verdict, reason, log, seconds = future.result()
            results.add("guest", name, verdict, reason, seconds, log)


def one_guest(what, hypervisor):
    elf = build_folder("gcc-debug") / "hypervisor" / "tests" / "guest" / what.file()
    start = time.monotonic()
    if what.only and what.only != hypervisor:
        return "SKIP", f"for {what.only} only, see tests.list", "", 0.0
    if hypervisor == "mullion" and not machine.MULLION.exists():
        return "SKIP", "the hypervisor is not built", "", 0.0
    if not elf.exists():
        return "FAIL", f"{elf.name} was not built", "", 0.0
    verdict, reason, console, log = guest.run(what, elf, hypervisor)
    text = f"{log}\n--- guest ---\n{console}" if verdict == "FAIL" else ""
    return verdict, reason, text, time.monotonic() - start


def system_ring(results, args):
    """Executable files of tests/system/: the last line of each is its verdict."""
    tests = sorted(p for p in (TOP / "tests" / "system").glob("*")
                   if p.is_file() and os.access(p, os.X_OK))
    tests = [p for p in tests if results.wants("system", p.name)]
    if tests:
        image.image("dom0")
    # A machine with a thread for each of up to 16 CPUs has the processors for itself.
    alone = [p for p in tests if 'threads="multi"' in p.read_text()]
    for jobs, several in ((1, alone), (args.jobs, [p for p in tests if p not in alone])):
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for path, verdict, seconds, log in pool.map(one_system_test, several):
                results.add("system", path.name, *verdict, seconds,
                            log if verdict[0] == "FAIL" else "")


def one_system_test(path):
    say(f"system test {path.name}")
    start = time.monotonic()
    status, log = run_quietly([path], timeout=SYSTEM_TIMEOUT)
    verdict = guest.verdict_of(log + "\n")
    if verdict is None or (verdict[0] == "PASS" and status):
        verdict = ("FAIL", f"status {status} and no verdict")
    if "\nrepeated: " in log:
        verdict = (verdict[0], f"{verdict[1]} (a boot was repeated)")
    return path, verdict, time.monotonic() - start, log


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./check", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rings", nargs="*", metavar="RING", help="only these rings (default all)")
    parser.add_argument("-f", "--filter", action="append", metavar="PATTERN",
                        help="only tests whose RING/NAME contains PATTERN (shell wildcards)")
    parser.add_argument("--quick", action="store_true",
                        help="one compiler, no system ring: a few minutes")
    parser.add_argument("--hypervisor", choices=["xen", "mullion"], action="append",
                        dest="hypervisors", help="guest ring on this one only")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N",
                        help="tests at a time (default: the number of CPUs)")
    parser.add_argument("--no-install", action="store_true",
                        help="do not look for missing Debian packages")
    args = parser.parse_args()
    unknown = set(args.rings) - set(RINGS)
    if unknown:
        parser.error(f"unknown ring {', '.join(sorted(unknown))}; there are {', '.join(RINGS)}")
    args.rings = args.rings or RINGS
    if args.quick:
        args.rings = [ring for ring in args.rings if ring != "system"]
    args.hypervisors = args.hypervisors or ["xen", "mullion"]
    return args


def main():
    args = parse_arguments()
    progress.program = "check"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    results = Results(args)
    try:
        if not args.no_install:
            packages.install_missing()
        if "build" in args.rings:
            is_built = build_ring(results, args)
        else:
            with step("building"):
                quiet = argparse.Namespace(**{**vars(args), "quick": True})
                is_built = build_ring(results, quiet)
        if is_built:
            meson_rings(results, args, build_folder("gcc-debug"))
            if not args.quick and (build_folder("clang-release") / "build.ninja").exists():
                meson_rings(results, args, build_folder("clang-release"), " (clang, release)")
            if "guest" in args.rings:
                guest_ring(results, args)
            if "system" in args.rings:
                system_ring(results, args)
    except Failure as failure:
        results.add("check", "itself", "FAIL", str(failure))
    except KeyboardInterrupt:
        results.add("check", "itself", "FAIL", "interrupted")
    return results.summary()


if __name__ == "__main__":
    sys.exit(main())
