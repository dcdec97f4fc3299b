import java.util.*;

class Solution {
    /** The prime factors of n > 1 in ascending order, each as often as it divides n. */
    public List<Long> primes(long n) {
        List<Long> factors = new ArrayList<>();
        for (long divisor = 2; divisor * divisor <= n; divisor++) {
            for (; n % divisor == 0; n /= divisor) factors.add(divisor);
        }
        if (n > 1) factors.add(n);
        return factors;
    }
}

// --- tests ---
class Main {
    public static void main(String[] args) {
        Solution s = new Solution();
        List<Boolean> correct = Arrays.asList(
            s.primes(60).equals(Arrays.asList(2L, 2L, 3L, 5L)),
            s.primes(2).equals(Arrays.asList(2L)),
            s.primes(97).equals(Arrays.asList(97L)),
            s.primes(1024).equals(Collections.nCopies(10, 2L)),
            s.primes(999983L * 7).equals(Arrays.asList(7L, 999983L))
        );
        if (correct.contains(false)) throw new AssertionError();
    }
}
