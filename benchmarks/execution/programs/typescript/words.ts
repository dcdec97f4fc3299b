// How often each word occurs, ignoring case and punctuation.
function words(text: string): { [word: string]: number } {
  const counts: { [word: string]: number } = {};
  for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) {
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}

// --- tests ---
declare var require: any;
const assert = require('node:assert');
assert.deepEqual(words("To be, or not to be."), { to: 2, be: 2, or: 1, not: 1 });
assert.deepEqual(words(""), {});
assert.deepEqual(words("...!"), {});
assert.deepEqual(words("one"), { one: 1 });
assert.deepEqual(words("A a! a? B"), { a: 3, b: 1 });
