#include <bits/stdc++.h>
using namespace std;

// The prime factors of n > 1 in ascending order, each as often as it divides n.
vector<long> primes(long n) {
    vector<long> factors;
    for (long divisor = 2; divisor * divisor <= n; divisor++)
        for (; n % divisor == 0; n /= divisor) factors.push_back(divisor);
    if (n > 1) factors.push_back(n);
    return factors;
}

// --- tests ---
int main() {
    assert((primes(60) == vector<long>{2, 2, 3, 5}));
    assert((primes(2) == vector<long>{2}));
    assert((primes(97) == vector<long>{97}));
    assert((primes(1024) == vector<long>(10, 2)));
    assert((primes(999983L * 7) == vector<long>{7, 999983}));
}
