from typing import List


def primes(n: int) -> List[int]:
    """The prime factors of n > 1 in ascending order, each as often as it divides n.
    >>> primes(60)
    [2, 2, 3, 5]
    """
    factors = []
    divisor = 2
    while divisor * divisor <= n:
        while n % divisor == 0:
            factors.append(divisor)
            n //= divisor
        divisor += 1
    if n > 1:
        factors.append(n)
    return factors


# --- tests ---
assert primes(60) == [2, 2, 3, 5]
assert primes(2) == [2]
assert primes(97) == [97]
assert primes(1024) == [2] * 10
assert primes(999983 * 7) == [7, 999983]
