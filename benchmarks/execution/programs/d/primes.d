/// The prime factors of n > 1 in ascending order, each as often as it divides n.
long[] primes(long n)
{
    long[] factors;
    for (long divisor = 2; divisor * divisor <= n; divisor++)
        for (; n % divisor == 0; n /= divisor)
            factors ~= divisor;
    if (n > 1)
        factors ~= n;
    return factors;
}

// --- tests ---
unittest
{
    assert(primes(60) == [2, 2, 3, 5]);
    assert(primes(2) == [2]);
    assert(primes(97) == [97]);
    assert(primes(1024) == [2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    assert(primes(999983L * 7) == [7, 999983]);
}
void main() {}
