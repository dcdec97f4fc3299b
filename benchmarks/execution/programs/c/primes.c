#include <assert.h>
#include <stdio.h>
#include <string.h>

// Writes the prime factors of n > 1 to factors in ascending order, each as often as it divides n; returns their number.
int primes(long n, long *factors) {
    int size = 0;
    for (long divisor = 2; divisor * divisor <= n; divisor++) {
        for (; n % divisor == 0; n /= divisor) factors[size++] = divisor;
    }
    if (n > 1) factors[size++] = n;
    return size;
}

// --- tests ---
static int are_primes(long n, int size, const long *wanted) {
    long factors[64];
    return primes(n, factors) == size && memcmp(factors, wanted, size * sizeof(long)) == 0;
}

int main() {
    assert(are_primes(60, 4, (long[]){2, 2, 3, 5}));
    assert(are_primes(2, 1, (long[]){2}));
    assert(are_primes(97, 1, (long[]){97}));
    assert(are_primes(1024, 10, (long[]){2, 2, 2, 2, 2, 2, 2, 2, 2, 2}));
    assert(are_primes(999983L * 7, 2, (long[]){7, 999983}));
    return 0;
}
