# How often each word occurs, ignoring case and punctuation.
words = (text) ->
  counts = {}
  for word in text.toLowerCase().match(/[a-z]+/g) ? []
    counts[word] = (counts[word] ? 0) + 1
  counts

# --- tests ---
assert = require 'assert'
assert.deepEqual words("To be, or not to be."), { to: 2, be: 2, or: 1, not: 1 }
assert.deepEqual words(""), {}
assert.deepEqual words("...!"), {}
assert.deepEqual words("one"), { one: 1 }
assert.deepEqual words("A a! a? B"), { a: 3, b: 1 }
