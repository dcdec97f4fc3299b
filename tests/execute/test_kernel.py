"""What Linux and the C library offer and Python has no function for."""

import ctypes
import ctypes.util
import shutil
from pathlib import Path

import pytest

from codeglot.execute import kernel


def test_a_library_is_foreign_where_nothing_was_loaded_from_its_folder_before(tmp_path: Path) -> None:
    libraries = kernel.Libraries()
    assert not libraries.are_joined_by_foreign_ones()

    name = ctypes.util.find_library("m")
    if name is None:
        pytest.skip("the C library has no part for mathematics here")
    ctypes.CDLL(name)
    assert not libraries.are_joined_by_foreign_ones()

    found = next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(name))
    ctypes.CDLL(str(shutil.copy(found, tmp_path / "mine.so")))
    assert libraries.are_joined_by_foreign_ones()
    assert not kernel.Libraries().are_joined_by_foreign_ones()
