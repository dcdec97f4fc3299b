"""A program in an interpreter that forked itself ends just as in one that was started for it."""

import re
from collections.abc import Callable, Iterator

import pytest

from codeglot.execute.fork_server.client import ForkServers
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.step import Outcome, Step
from codeglot.languages import spec
from codeglot.records import Limits
from tests.execute.conftest import PRELOAD

PYTHON = spec.get("python")
COMMAND = tuple(word.replace("{source}", PYTHON.source) for word in PYTHON.run)
LAST_LINE = '\n__tests_ended__ = "c0ffee"'
"""Says that the status can only be 0."""

PROGRAMS: dict[str, str | bytes] = {
    "nothing": "",
    "output without an end of line": "print('no end', end='')",
    "unicode": "print('zażółć \\U0001f40d', ascii('ż'))",
    "half a surrogate pair": "print('\\ud83d')",
    "syntax error": "def f(:\n    pass",
    "indentation error": "if 1:\npass",
    "null byte": "x = '\0'",
    "not UTF-8": b"x = '\xff'",
    "declared encoding": b"# coding: latin-1\nprint('\xe9')",
    "byte order mark": b"\xef\xbb\xbfprint('marked')",
    "warning of the compiler": "x = '\\d'\nprint(1 is 1)",
    "exception": "def f(n):\n    return 1 / n\n\nf(0)",
    "chained exceptions": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e",
    "exception in a handler": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    [][0]",
    "exception group": "raise ExceptionGroup('many', [ValueError(1), TypeError('two')])",
    "exception with a note": "e = ValueError('x')\ne.add_note('noted')\nraise e",
    "own excepthook": "import sys\nsys.excepthook = lambda *a: print('hook', a[0])\n1 / 0",
    "exit with nothing": "import sys\nsys.exit()",
    "exit with a number": "raise SystemExit(7)",
    "exit with a large number": "raise SystemExit(263)",
    "exit with a text": "import sys\nsys.exit('told')",
    "exit with a tuple": "raise SystemExit((1, 'x'))",
    "exit in a function of atexit": "import atexit, sys\natexit.register(sys.exit, 3)",
    "atexit in order": "import atexit\nfor i in range(3):\n    atexit.register(print, i)\nprint('body')",
    "exit at once": "import os\nprint('lost', end='')\nos._exit(5)",
    "abort": "import os\nos.abort()",
    "killed by itself": "import os, signal\nprint('x', flush=True)\nos.kill(os.getpid(), signal.SIGTERM)",
    "interrupted": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)",
    "segmentation fault": "import ctypes\nctypes.string_at(0)",
    "broken pipe": "import os, signal\nr, w = os.pipe()\nos.close(r)\nos.write(w, b'x')",
    "default signals": "import signal\nprint([signal.getsignal(n) for n in (2, 13, 15, 25)])",
    "standard input by lines": "import sys\nprint([line for line in sys.stdin], input.__name__)",
    "standard input by input()": "print(input() + input('? '))\ninput()",
    "standard input as bytes": "import sys\nprint(sys.stdin.buffer.read(), sys.stdin.seekable())",
    "standard streams": (
        "import sys\nfor s in (sys.stdin, sys.stdout, sys.stderr):\n"
        "    print(s.name, s.mode, s.encoding, s.errors, s.line_buffering, s.seekable(), s.isatty(), s.fileno())"
    ),
    "recursion": "def f(n):\n    return f(n + 1)\n\nf(0)",
    "depth that can be reached": (
        "def f(n):\n    try:\n        return f(n + 1)\n    except RecursionError:\n        return n\nprint(f(0))"
    ),
    "frames below": "import sys, traceback\nprint(sys._getframe().f_back)\ntraceback.print_stack()",
    "warning at another level": "import warnings\nwarnings.warn('w', stacklevel=2)\nwarnings.warn('v')",
    "deprecation in main": "import warnings\nwarnings.warn('old', DeprecationWarning)",
    "threads": (
        "import threading\nt = threading.Thread(target=lambda: print('in it'))\nt.start()\n"
        "print(threading.current_thread(), threading.active_count() > 0)"
    ),
    "thread that is not joined": (
        "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.1), print('late'))).start()"
    ),
    "exception in a thread": (
        "import threading\nt = threading.Thread(target=lambda: 1 / 0, name='t')\nt.start()\nt.join()"
    ),
    "daemon thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
    "subprocess": (
        "import subprocess, sys\n"
        "print(subprocess.run([sys.executable, '-c', 'import sys; exit(sys.flags.utf8_mode)'], capture_output=True))"
    ),
    "fork": ("import os\nif os.fork() == 0:\n    print('child', flush=True)\n    os._exit(0)\nprint(os.wait()[1])"),
    "multiprocessing": (
        "import multiprocessing\n\ndef f(x):\n    return x * x\n\nif __name__ == '__main__':\n"
        "    with multiprocessing.Pool(2) as p:\n        print(p.map(f, range(5)))"
    ),
    "multiprocessing by spawning": (
        "import multiprocessing as m\n\ndef f(q):\n    q.put(__name__)\n\nif __name__ == '__main__':\n"
        "    c = m.get_context('spawn')\n    q = c.SimpleQueue()\n    p = c.Process(target=f, args=(q,))\n"
        "    p.start()\n    print(q.get())\n    p.join()"
    ),
    "asyncio": (
        "import asyncio\n\nasync def f():\n    await asyncio.sleep(0.01)\n    print('slept')\n\nasyncio.run(f())"
    ),
    "pickle of a class of main": (
        "import pickle\n\nclass A:\n    x = 1\n\nprint(pickle.loads(pickle.dumps(A())).x, A.__module__, A)"
    ),
    "data class": (
        "from dataclasses import dataclass\nfrom typing import List, get_type_hints\n\n@dataclass\nclass A:\n"
        "    x: 'List[int]'\n\nprint(A([1]), get_type_hints(A))"
    ),
    "own source": (
        "import inspect\n\ndef f():\n    return 1\n\nprint(inspect.getsource(f), inspect.stack()[0].code_context)"
    ),
    "its module": (
        "print({k: v for k, v in globals().items() if k != '__builtins__'}, type(__builtins__))\n"
        "import __main__\nprint(__main__.__file__, __name__)"
    ),
    "finders of modules": (
        "import sys\nprint(sys.path_hooks, sys.path_importer_cache[sys.argv[0]], __loader__, __spec__)\n"
        "print([path for path in sys.path_importer_cache if path.startswith('/work')])"
    ),
    "arguments and paths": (
        "import os, sys\n"
        "print(sys.argv, sys.orig_argv, sys.path, sys.executable, sys.flags, sys.warnoptions, os.getcwd())"
    ),
    "environment": "import os\nprint(sorted(os.environ.items()))",
    "hashes": "print(hash('a'), {'b', 'a', 'c'})",
    "import beside it": "import helper\nprint(helper.__file__)",
    "import that is missing": "import no_such_module",
    "import of its own name": "import main\nprint(main.__name__)",
    "submodule nobody imported": "import importlib\nprint(importlib.util)",
    "submodule of a package": "import concurrent\nprint(concurrent.futures)",
    "submodule that another module imports": "import typing, collections\nprint(collections.abc, typing.__spec__)",
    "submodule that no module imported": "import collections\nprint(collections.abc)",
    "submodule imported by its name": (
        "import collections.abc\nfrom typing import List, get_type_hints\nprint(collections.abc)"
    ),
    "submodule of xml": "import xml\nprint(xml.dom)",
    "site": "print(quit, copyright.__class__, help)\nexit(4)",
    "finalizers": (
        "class A:\n    def __del__(self):\n        print('del', __name__, math.sqrt(4))\n\nimport math\n"
        "a = A()\nb = [A()]\nb.append(b)"
    ),
    "weak references at the end": (
        "import weakref\n\nclass A:\n    pass\n\na = A()\nf = weakref.finalize(a, print, 'gone')"
    ),
    "file left open": (
        "f = open('/tmp/x', 'w')\nf.write('x' * 10)\nimport atexit\n"
        "atexit.register(lambda: print(open('/tmp/x').read()))"
    ),
    "output buffered by a closed stream": "import sys\nprint('kept')\nsys.stdout.close()",
    "full device": "import os\nos.dup2(os.open('/dev/full', os.O_WRONLY), 1)\nprint('lost')",
    "output of the C library": "import ctypes\nctypes.CDLL(None).puts(b'from C')",
    "handler of the C library": (
        "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.__cxa_atexit(libc.abort, None, None)\nprint('kept')"
    ),
    "C library from a function": "def f():\n    import ctypes\n    ctypes.CDLL(None).puts(b'from C')\n\nf()",
    "inner module of ctypes": "import _ctypes, sys\nprint(_ctypes.__name__, 'ctypes' in sys.modules)",
    "structure of C": (
        "import ctypes, ctypes.util\n\nclass A(ctypes.BigEndianStructure):\n    _fields_ = [('x', ctypes.c_int)]\n\n"
        "print(bytes(A(1)), ctypes.util.find_library('c'), ctypes.__spec__)"
    ),
    "library of an import": "import _testcapi, _lsprof\nprint(_lsprof.__name__)",
    "error of the C library": "import ctypes\nprint(ctypes.get_errno())",
    "names taken away": (
        "import gc, os, sys\nos._exit = gc.collect = sys._current_frames = sys._getframe = None\nprint('kept')"
    ),
    "handlers called early": (
        "import atexit, collections\natexit.register(print, 'handler')\natexit._run_exitfuncs()\n"
        "import collections as again\nprint(again is collections)"
    ),
    "end that was not reached": "__tests_ended__ = True\nassert False",
    "end of another program": "__tests_ended__ = 'abcdef'\nassert False",
    "end that is only read": (
        "import builtins, io\n__tests_ended__ = 'x'\n"
        "builtins.open = lambda *_: io.BytesIO(b'__tests_ended__ = \"x\"')\nassert False"
    ),
    "finalizer that raises": "class A:\n    def __del__(self):\n        raise ValueError('late')\n\na = A()",
    "finalizer that imports": (
        "import os\n\nclass A:\n    def __del__(self):\n        import os, fractions\n        print('vain')\n\na = A()"
    ),
    "detached standard output": (
        "import io, sys\n\nsys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding='utf-8')\nprint('ü')"
    ),
    "standard output without its buffer": "import sys\n\nprint('before', flush=True)\nraw = sys.stdout.detach()",
    "finalizer that closes the way out": (
        "import os\n\nclass A:\n    def __del__(self):\n        print('in vain')\n"
        "        os.dup2(os.open('/dev/full', os.O_WRONLY), 1)\n\na = A()"
    ),
    "stream of its own that nobody closes": (
        "def f():\n    pass\n\nout = open(1, 'w', closefd=False)\nout.write('written')"
    ),
    "finalizers of a list": (
        "class A:\n    def __init__(self, n):\n        self.n = n\n\n    def __del__(self):\n        print(self.n)\n\n"
        "held = [A(3), A(4)]"
    ),
    "finalizers of a cycle and of what is kept": (
        "class A:\n    def __init__(self, n):\n        self.n = n\n\n    def __del__(self):\n        print(self.n)\n\n"
        "kept = A('kept')\na = A('cycle')\na.self = a\ndel a"
    ),
    "finalizer of garbage that imports": (
        "class A:\n    def __del__(self):\n        import json\n        print(json.dumps([1]))\n\n"
        "a = A()\na.self = a\ndel a"
    ),
    "handler of the end and an object": (
        "import atexit\n\nclass A:\n    def __del__(self):\n        print('del')\n\na = A()\n"
        "atexit.register(lambda: print('bye'))"
    ),
    "module imported again": (
        "import re, sys, types\n\nclass A:\n    def __del__(self):\n        print('del')\n\n"
        "sys.modules['m'] = types.ModuleType('m')\nsys.modules['m'].a = A()\ndel sys.modules['re']\nimport re"
    ),
    "module taken away": (
        "import re, sys, types\n\nclass A:\n    def __del__(self):\n        print('del')\n\n"
        "sys.modules['m'] = types.ModuleType('m')\nsys.modules['m'].a = A()\ndel sys.modules['re'], A"
    ),
    "modules replaced": (
        "import sys\n\nclass A:\n    def __del__(self):\n        print('del')\n\na = A()\n"
        "sys.modules = dict(sys.modules)"
    ),
    "modules given away": "import sys\n\nprint(1)\nsys.modules = None",
    "finalizer that looks for a codec": ("class A:\n    def __del__(self):\n        'x'.encode('cp1250')\n\na = A()"),
    "streams of C by curses": "import curses\n\ncurses.setupterm('xterm', 1)\ncurses.putp(b'x')",
    "module made from a hidden specification": (
        "from importlib.util import find_spec, module_from_spec\n\nspec = find_spec('ctypes')\n"
        "module = module_from_spec(spec)\nspec.loader.exec_module(module)\nprint(module.sizeof(module.c_int))"
    ),
    "hidden module loaded again": (
        "import ctypes, importlib\n\nimportlib.reload(ctypes)\nprint(ctypes.__loader__.__class__, ctypes.__spec__.name)"
    ),
    "attributes of the program's module": (
        "def __getattr__(name):\n    print('asked for', name)\n    raise AttributeError(name)"
    ),
    "finalizer of what another module holds": (
        "import json, typing\n\nclass A:\n    def __init__(self, n):\n        self.n = n\n"
        "    def __del__(self):\n        print('del', self.n, flush=True)\n\njson.held = A(1)\nx = [A(2)]"
    ),
    "finalizer of what the system holds": (
        "import sys\n\nclass A:\n    def __del__(self):\n        print('del', sys is None)\n\nsys.held = A()"
    ),
    "generator that is not finished": (
        "def f():\n    try:\n        yield 1\n    finally:\n        print('closed')\n\ng = f()\nnext(g)"
    ),
    "own standard output": (
        "import io, sys\n\nclass A(io.StringIO):\n    def flush(self):\n        sys.__stdout__.write('flush ')\n\n"
        "sys.stdout = A()\nprint('kept')"
    ),
    "exit in a finalizer": "import os\n\nclass A:\n    def __del__(self):\n        os._exit(9)\n\na = A()",
    "garbage collector": (
        "import gc\nprint(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.callbacks, gc.garbage)"
    ),
    "limits": (
        "import resource\n"
        "names = [n for n in dir(resource) if n.startswith('RLIMIT') and n != 'RLIMIT_NPROC']\n"
        "print([resource.getrlimit(getattr(resource, n)) for n in names])"
    ),
    "memory error": "x = bytearray(1 << 40)",
    "processes": (
        "import os\nprint(os.getpid(), os.getppid(), os.getpgrp(), os.getsid(0), os.getuid() > 0, os.umask(0))"
    ),
    "descriptors": "import os\nprint(sorted(os.listdir('/proc/self/fd')))",
    "mounts": "print([l.split()[4] for l in open('/proc/self/mountinfo')][:1], __import__('os').listdir('/work'))",
    "seeds": "import random\nrandom.seed(1)\nprint(random.random())",
    "locale": "import locale\nprint(locale.setlocale(locale.LC_ALL), locale.getpreferredencoding())",
    "time": "import time\nprint(time.tzname, time.process_time() < 1)",
}


@pytest.fixture(scope="module")
def forked() -> Iterator[Callable[..., Outcome]]:
    level = ForkServers(Bubblewrap(), PRELOAD)
    yield _runner(level, forks=True)
    level.close()
    level.ground.close()


@pytest.fixture(scope="module")
def cold() -> Iterator[Callable[..., Outcome]]:
    level = Bubblewrap()
    yield _runner(level, forks=False)
    level.close()


def _runner(level: Bubblewrap | ForkServers, *, forks: bool) -> Callable[[str | bytes], Outcome]:
    def run(source: str | bytes) -> Outcome:
        step = Step(
            command=COMMAND, limits=Limits(), env=PYTHON.env, stdin="first\nżółw\n", work_files={"x": ""}, forks=forks
        )
        with level.open_box() as box:
            box.put({"main.py": source, "helper.py": ""})
            return box.run(step)

    return run


@pytest.mark.parametrize("last", ["", LAST_LINE])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_ends_and_prints_as_in_an_interpreter_of_its_own(
    name: str, last: str, forked: Callable[..., Outcome], cold: Callable[..., Outcome]
) -> None:
    program = PROGRAMS[name]
    source = (program if isinstance(program, bytes) else program.encode("utf-8")) + last.encode()
    expected, found = cold(source), forked(source)
    assert _facts(found) == _facts(expected)


def test_programs_have_that_last_line() -> None:
    assert PYTHON.epilogue.replace("{nonce}", "c0ffee").endswith(LAST_LINE.strip())


def _facts(outcome: Outcome) -> tuple[int | None, str, str]:
    """All that a program can tell, without addresses in memory."""
    stdout, stderr = (
        re.sub(r"0x[0-9a-f]+|(?<=started )\d+", "ADDRESS", stream.decode())
        for stream in (outcome.stdout, outcome.stderr)
    )
    return outcome.status, stdout, stderr


def test_modules_that_are_loaded_beforehand_have_no_more_in_them_than_when_imported(
    forked: Callable[..., Outcome], cold: Callable[..., Outcome]
) -> None:
    """A submodule that another import left in its package would make a forgotten import work."""
    loaded = {*forked("import sys\nprint(*sys.modules)").stdout.decode().split(), *PRELOAD, "collections.abc"}
    source = f"""
import importlib._bootstrap, os, sys
for name in {sorted(set(loaded) - {"__main__"})}:
    sys.stdout.flush()
    if os.fork() == 0:
        module = importlib._bootstrap._gcd_import(name)
        print(name, sorted(set(vars(module)) - {{"__warningregistry__"}}))
        sys.stdout.flush()
        os._exit(0)
    os.wait()
"""
    expected, found = (run(source).stdout.decode().splitlines() for run in (cold, forked))
    assert len(found) == len(loaded) - 1
    assert _by_name(found) == _by_name(expected)


def _by_name(lines: list[str]) -> dict[str, set[str]]:
    return {line.partition(" ")[0]: set(re.findall(r"'(\w+)'", line)) for line in lines}


def test_random_numbers_differ_from_program_to_program(forked: Callable[..., Outcome]) -> None:
    assert len({forked("import random\nprint(random.random())").stdout for _ in range(3)}) == 3
