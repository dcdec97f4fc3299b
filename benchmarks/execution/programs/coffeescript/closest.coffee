# The two numbers that are closest to each other, in ascending order.
closest = (numbers) ->
  ordered = numbers.slice().sort (a, b) -> a - b
  best = 0
  for low, i in ordered[...-1]
    best = i if ordered[i + 1] - low < ordered[best + 1] - ordered[best]
  ordered[best..best + 1]

# --- tests ---
assert = require 'assert'
assert.deepEqual closest([1.0, 2.0, 2.2, 5.0]), [2.0, 2.2]
assert.deepEqual closest([5.0, 1.0]), [1.0, 5.0]
assert.deepEqual closest([3.0, 9.0, 3.0]), [3.0, 3.0]
assert.deepEqual closest([-1.5, 4.0, -1.0, 8.0]), [-1.5, -1.0]
assert.deepEqual closest([10.0, 0.0, 6.0, 4.5]), [4.5, 6.0]
