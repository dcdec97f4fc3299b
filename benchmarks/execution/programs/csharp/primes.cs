using System;
using System.Collections.Generic;
using System.Linq;

class Problem {
    // The prime factors of n > 1 in ascending order, each as often as it divides n.
    public static List<long> Primes(long n) {
        var factors = new List<long>();
        for (long divisor = 2; divisor * divisor <= n; divisor++) {
            for (; n % divisor == 0; n /= divisor) factors.Add(divisor);
        }
        if (n > 1) factors.Add(n);
        return factors;
    }

    // --- tests ---
    static void Check(int number, long n, params long[] wanted) {
        if (!Primes(n).SequenceEqual(wanted)) {
            throw new Exception("Exception --- test case " + number + " failed to pass");
        }
    }

    public static void Main(string[] args) {
        Check(0, 60, 2, 2, 3, 5);
        Check(1, 2, 2);
        Check(2, 97, 97);
        Check(3, 1024, Enumerable.Repeat(2L, 10).ToArray());
        Check(4, 999983 * 7, 7, 999983);
    }
}
