# The prime factors of n > 1 in ascending order, each as often as it divides n.
primes = (n) ->
  factors = []
  divisor = 2
  while divisor * divisor <= n
    while n % divisor is 0
      factors.push divisor
      n /= divisor
    divisor++
  factors.push n if n > 1
  factors

# --- tests ---
assert = require 'assert'
assert.deepEqual primes(60), [2, 2, 3, 5]
assert.deepEqual primes(2), [2]
assert.deepEqual primes(97), [97]
assert.deepEqual primes(1024), (2 for i in [1..10])
assert.deepEqual primes(999983 * 7), [7, 999983]
