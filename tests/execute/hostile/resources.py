"""Programs that use more than their share, or stay."""

from codeglot.records import Verdict
from tests.execute.hostile.row import ALL, Row, ended_as, is_kept_in
from tests.execute.programs import FORK_BOMB, GENERATIONS, HOG, HOGS, SHARED_HOG, SPREAD

DENIED, MEMORY = ended_as(Verdict.RESOURCE_DENIED), ended_as(Verdict.MEMORY)

RESOURCES = (
    Row(
        "fork bomb",
        ALL,
        FORK_BOMB,
        limits={"num_tasks": 64},
    ),
    Row("memory of one process", ALL, HOG, MEMORY),
    Row(
        "memory of many processes together",
        ALL,
        HOGS,
        MEMORY,
        {"memory_mib": 96},
    ),
    Row(
        "memory shared between processes, which no resource limit counts",
        ALL,
        SHARED_HOG,
        MEMORY,
        {"memory_mib": 96},
    ),
    Row(
        "one big file",
        ALL,
        """
with open("big", "wb") as file:
    for _ in range(64):
        file.write(bytes(1 << 20))
print("BROKE")
""",
        DENIED,
        {"file_mib": 4},
    ),
    Row(
        "many files that fill a disk",
        ALL,
        """
import tempfile, time
for number in range(64):
    with open(f"{tempfile.gettempdir()}/{number}", "wb") as file:
        file.write(bytes(1 << 20))
time.sleep(2)
print("BROKE")
""",
        DENIED,
        {"disk_mib": 8},
    ),
    Row(
        "empty files without end",
        ALL,
        """
import os, time
for number in range(100_000):
    os.close(os.open(str(number), os.O_CREAT))
time.sleep(2)
print("BROKE")
""",
        DENIED,
        {"cpu_s": 20},
    ),
    Row(
        "output without end",
        ALL,
        "while True:\n    print('x' * 10000)",
        lambda execution: execution.verdict is Verdict.OUTPUT_LIMIT and len(execution.stdout) < 70_000,
        {"output_kib": 256},
    ),
    Row(
        "error output without end, in many small pieces",
        ALL,
        "import os\nwhile True:\n    os.write(2, b'x\\n')",
        lambda execution: execution.verdict is Verdict.OUTPUT_LIMIT and len(execution.stderr) < 70_000,
        {"output_kib": 64},
    ),
    Row(
        "ignoring every signal",
        ALL,
        """
import signal, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
time.sleep(30)
""",
        lambda execution: execution.verdict is Verdict.TIMEOUT_WALL and execution.wall_s < 5,
        {"cpu_s": 0.5, "wall_s": 0.5},
    ),
    Row(
        "stopping itself and what it started",
        ALL,
        """
import os, signal
if os.fork() == 0:
    os.setsid()
os.kill(os.getpid(), signal.SIGSTOP)
""",
        lambda execution: execution.verdict is Verdict.TIMEOUT_WALL and execution.wall_s < 5,
        {"cpu_s": 0.5, "wall_s": 0.5},
    ),
    Row(
        "CPU time spread over processes",
        ALL,
        SPREAD,
        ended_as(Verdict.TIMEOUT_CPU),
        {"cpu_s": 0.5},
    ),
    Row(
        "CPU time of children that have ended",
        ALL,
        GENERATIONS,
        ended_as(Verdict.TIMEOUT_CPU),
        {"cpu_s": 0.5},
    ),
    Row(
        "a daemon that outlives its program",  # that none is left is seen by the fixture around every test
        ALL,
        """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for descriptor in range(3):
            os.close(descriptor)
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)", "@MARKER@"])
    os._exit(0)
os.wait()
print("TRIED")
""",
    ),
    Row(
        "a daemon that outlives a program which is killed",
        ALL,
        """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)", "@MARKER@"])
    os._exit(0)
print("TRIED", flush=True)
time.sleep(30)
""",
        lambda execution: execution.verdict is Verdict.TIMEOUT_WALL and is_kept_in(execution),
        {"cpu_s": 0.7, "wall_s": 0.7},
    ),
)
