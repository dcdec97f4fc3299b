from typing import List, Tuple


def closest(numbers: List[float]) -> Tuple[float, float]:
    """The two numbers that are closest to each other, in ascending order.
    >>> closest([1.0, 2.0, 2.2, 5.0])
    (2.0, 2.2)
    """
    ordered = sorted(numbers)
    return min(zip(ordered, ordered[1:]), key=lambda pair: pair[1] - pair[0])


# --- tests ---
assert closest([1.0, 2.0, 2.2, 5.0]) == (2.0, 2.2)
assert closest([5.0, 1.0]) == (1.0, 5.0)
assert closest([3.0, 9.0, 3.0]) == (3.0, 3.0)
assert closest([-1.5, 4.0, -1.0, 8.0]) == (-1.5, -1.0)
assert closest([10.0, 0.0, 6.0, 4.5]) == (4.5, 6.0)
