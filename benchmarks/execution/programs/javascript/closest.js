// The two numbers that are closest to each other, in ascending order.
function closest(numbers) {
  const ordered = [...numbers].sort((a, b) => a - b);
  let best = 0;
  for (let i = 1; i + 1 < ordered.length; i++) {
    if (ordered[i + 1] - ordered[i] < ordered[best + 1] - ordered[best]) best = i;
  }
  return [ordered[best], ordered[best + 1]];
}

// --- tests ---
const assert = require('node:assert');
assert.deepEqual(closest([1.0, 2.0, 2.2, 5.0]), [2.0, 2.2]);
assert.deepEqual(closest([5.0, 1.0]), [1.0, 5.0]);
assert.deepEqual(closest([3.0, 9.0, 3.0]), [3.0, 3.0]);
assert.deepEqual(closest([-1.5, 4.0, -1.0, 8.0]), [-1.5, -1.0]);
assert.deepEqual(closest([10.0, 0.0, 6.0, 4.5]), [4.5, 6.0]);
