import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from codeglot.execute.processes import children, count_files, descendants, end, measure, waited_s
from codeglot.execute.supervise import become_subreaper


def test_a_tree_of_processes_is_found_and_added_up() -> None:
    hog = "x = bytearray(64 << 20); print(flush=True); input()"
    command = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hog!r}])"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        tree = list(descendants(process.pid))
        usage = measure(process.pid)
        process.communicate(b"\n")
    assert tree[0] == process.pid
    assert len(tree) == 2
    assert 64 < usage.largest_mib < usage.memory_mib
    assert usage.cpu_s > 0


def test_a_process_that_has_gone_uses_nothing() -> None:
    process = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    pid = int(process.stdout)
    assert children(pid) == []
    assert measure(pid).cpu_s == 0


def test_a_process_that_holds_a_box_is_killed_and_reaped_with_its_children() -> None:
    become_subreaper()
    with subprocess.Popen(["sh", "-c", "sleep 60 & echo; wait"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (below,) = children(process.pid)
        end(process)
    assert process.returncode == -signal.SIGKILL
    assert not Path(f"/proc/{below}").exists()


def test_the_disks_of_the_host_are_not_counted() -> None:
    assert count_files(os.getpid(), ["/tmp"]) == 0


def test_a_process_that_sleeps_does_not_wait_for_a_core_and_one_of_many_that_compute_does() -> None:
    spin = "while True: pass"
    busy = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(3 * len(os.sched_getaffinity(0)))]
    sleeper = subprocess.Popen(["sleep", "30"])
    try:
        time.sleep(2)
        waiting = max(waited_s([process.pid]) or 0.0 for process in busy)
        sleeping = waited_s([sleeper.pid])
    finally:
        for process in (*busy, sleeper):
            process.kill()
            process.wait()
    assert sleeping is not None
    assert sleeping < 0.2 < waiting
