"""An interpreter that forks itself for programs: which modules a program sees, and how it ends.

The standard library alone, Python 3.9 or newer.
"""

from __future__ import annotations

import atexit
import builtins
import gc
import os
import sys
from _functools import partial  # type: ignore[import-not-found] # part of every interpreter
from contextlib import suppress

from codeglot.execute import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import TextIO

# A program may give these names to something else.
_modules = sys.modules
_open, _seek, _read, _close = os.open, os.lseek, os.pread, os.close
_READ_ONLY, _TO_THE_END = os.O_RDONLY | os.O_CLOEXEC, os.SEEK_END
_exit, _collect, _is_collecting, _forget_handlers = os._exit, gc.collect, gc.isenabled, atexit._clear
_current_frames, _getframe = sys._current_frames, sys._getframe
_OF_THE_PROGRAM = ("__main__", "builtins", "sys")
"""Modules that change with it."""
_Refusing = type("_Refusing", (), {"__format__": staticmethod(partial(builtins.__import__, " "))})
_refuse_to_import = partial("{}".format, _Refusing())
"""Takes what `__import__` takes, and looks for a module that there never is. When nothing can be found any more, the
interpreter itself says so, and no traceback shows this function, since none of it is written in Python."""
_ENDED = "__tests_ended__"
"""The global name that the last line of a program sets."""


def preload(names: Iterable[str]) -> Hidden:
    """Import modules, and put out of sight again what a program could notice.

    A module may import a part of a package, which then is an attribute of the package for all: as long as the program
    has not imported that module itself, both are hidden.
    """
    hidden = Hidden()
    for name in names:
        before = set(sys.modules)
        __import__(name)
        parts = [new for new in set(sys.modules) - before if new.rpartition(".")[0] in before]
        for new in parts:
            hidden.parts[new] = [(new, sys.modules[new])]
        if parts:
            hidden.parts[name] = [(new, sys.modules[new]) for new in (*parts, name)]
    for name in hidden.parts:
        del sys.modules[name]
        package, _, part = name.rpartition(".")
        if package:
            delattr(sys.modules[package], part)
    hidden.hide("ctypes", ("_ctypes", "ctypes._endian", "ctypes"))
    hidden.specs.update({name: parts[-1][1].__spec__ for name, parts in hidden.parts.items()})  # type: ignore[misc]
    sys.meta_path.insert(0, hidden)  # type: ignore[arg-type] # what the protocol asks for is imported lazily
    return hidden


class Hidden:
    """Finds modules that were imported before, and shows them."""

    def __init__(self) -> None:
        self.parts: dict[str, list[tuple[str, ModuleType]]] = {}
        """By the name of a module: all that importing it shows, itself as the last."""
        self.specs: dict[str, ModuleSpec] = {}
        """By the name of a module, its own one; importlib puts another one into it."""
        self.calls_c = False
        """Whether the program has imported what calls C libraries."""

    def hide(self, name: str, parts: Iterable[str]) -> None:
        """Put what this code itself needs out of sight; its parts come alone too."""
        found = [(part, sys.modules.pop(part)) for part in parts]
        self.parts.update({part: [(part, module)] for part, module in found} | {name: found})

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:  # noqa: ARG002
        """As importlib asks its finders."""
        return type(sys.__spec__)(name, self) if name in self.parts else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The one that was imported before."""
        return self.parts[spec.name][-1][1]

    def exec_module(self, module: ModuleType) -> None:
        """Show it, and the modules that importing it shows."""
        module.__spec__ = self.specs[module.__name__]
        module.__loader__ = module.__spec__.loader
        self.calls_c |= module.__name__ in {"_ctypes", "ctypes"}
        for name, part in self.parts[module.__name__]:
            sys.modules[name] = part
            package, _, child = name.rpartition(".")
            if package in sys.modules:
                setattr(sys.modules[package], child, part)


def spare_modules(hidden: Hidden) -> None:
    """Let programs end without taking apart the modules that were there before them.

    That would write to each page of memory that they share with the server, each of which has to be copied for it. For
    the same reason names come as copies, which lie next to each other.
    """
    first = " ".join(name for name in _modules if name != "__main__").split()
    kernel.keep_for_ever([[_modules[name] for name in first], hidden])
    atexit.register(_end, sys.orig_argv[-1], first, hidden, kernel.Libraries())


def _end(path: str, first: list[str], hidden: Hidden, libraries: kernel.Libraries) -> None:
    """What the interpreter does last, behind the last handler of the program; `path` is its file.

    Where the program's last line was reached, its status is known. Then its objects are finalized as the interpreter
    does it, and the interpreter itself, which takes as long as the rest of a small program, is just left. What C
    libraries do last is done where the program can have called any.
    """
    if _getframe().f_back is not None:  # the program has called its handlers, and goes on
        return
    try:
        is_known = _has_ended(path) and len(_current_frames()) == 1
        if is_known:
            _finalize(first)
    except BaseException:  # the interpreter says what cannot be flushed, and chooses the status
        is_known = False
    if not is_known:
        for name in first:
            if name not in _OF_THE_PROGRAM:
                _modules.pop(name, None)
        return
    if hidden.calls_c or libraries.are_joined_by_foreign_ones():
        kernel.leave(0)
    kernel.flush_streams()
    _exit(0)


def _finalize(first: list[str]) -> None:
    """Finalize all objects of the program; `first` are the modules that were there before it, without its own."""
    _flush(sys.stdout)
    _flush(sys.stderr)
    if _is_collecting():
        _collect()
    _forget_handlers()  # which hold what they were given
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__
    sys.meta_path = None  # type: ignore[assignment] # as the interpreter leaves it then
    builtins.__import__ = _refuse_to_import
    sys.modules = _modules  # a copy would hold the program's
    _modules.pop("__main__", None)
    later = [_modules.popitem()[1] for _ in range(len(_modules) - len(first))]
    if not all(map(_modules.__contains__, first)):  # the program took some of them away
        _modules.clear()
    while later:
        later.pop()  # those imported first go first
    _collect()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # nobody is told any more
            _flush(stream)


def _has_ended(path: str) -> bool:
    """Whether the last line of the program was executed: it alone knows the value that it sets."""
    value = _modules["__main__"].__dict__.get(_ENDED)
    if type(value) is not str or not value:
        return False
    line = f'{_ENDED} = "{value}"'.encode()
    descriptor = _open(path, _READ_ONLY)
    try:
        size = _seek(descriptor, 0, _TO_THE_END)
        return size >= len(line) and _read(descriptor, len(line), size - len(line)) == line
    finally:
        _close(descriptor)


def _flush(stream: TextIO | None) -> None:
    if stream is not None and not stream.closed:
        stream.flush()
