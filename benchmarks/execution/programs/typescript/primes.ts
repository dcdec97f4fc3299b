// The prime factors of n > 1 in ascending order, each as often as it divides n.
function primes(n: number): number[] {
  const factors: number[] = [];
  for (let divisor = 2; divisor * divisor <= n; divisor++) {
    for (; n % divisor === 0; n /= divisor) factors.push(divisor);
  }
  if (n > 1) factors.push(n);
  return factors;
}

// --- tests ---
declare var require: any;
const assert = require('node:assert');
assert.deepEqual(primes(60), [2, 2, 3, 5]);
assert.deepEqual(primes(2), [2]);
assert.deepEqual(primes(97), [97]);
assert.deepEqual(primes(1024), new Array(10).fill(2));
assert.deepEqual(primes(999983 * 7), [7, 999983]);
