"""Programs in Python that use more than their share; each is bounded, so that even without a sandbox it would do
little. One that was not stopped prints BROKE.
"""

FORK_BOMB = """
import os, time
print("TRIED", flush=True)
for count in range(300):
    try:
        if os.fork() == 0:
            time.sleep(2)
            os._exit(0)
    except OSError as error:
        print(count, error.errno)
        break
else:
    print("BROKE")
"""
"""Says how many tasks it got, and the error that the next one met."""
HOG = "hog = bytearray(1536 << 20)\nprint('BROKE')"
HOGS = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        hog = bytearray(60 << 20)
        time.sleep(3)
        os._exit(0)
time.sleep(3)
print("BROKE")
"""
SHARED_HOG = """
import mmap, time
hog, block = mmap.mmap(-1, 1 << 30), bytes(1 << 20)
for start in range(0, 1 << 30, 1 << 20):
    hog[start : start + (1 << 20)] = block
time.sleep(2)
print("BROKE")
"""
"""Its memory is shared between processes, which no resource limit counts."""
PARENT_OF_HOG = """
import subprocess, sys
hog = "x = bytearray(100 << 20)\\nfor i in range(3 * 10**6): pass"
subprocess.run([sys.executable, "-c", hog])
"""
"""Its child takes 100 MiB and some CPU time, and ends well."""
SPREAD = """
import os
for _ in range(3):
    if os.fork() == 0:
        break
while True:
    pass
"""
"""Uses CPU time in many processes."""
GENERATIONS = """
import os
while True:
    if os.fork() == 0:
        for _ in range(10**6):
            pass
        os._exit(0)
    os.wait()
"""
"""Uses CPU time in one child after the other."""
