-- How often each word occurs, ignoring case and punctuation.
local function words(text)
  local counts = {}
  for word in text:lower():gmatch("%a+") do
    counts[word] = (counts[word] or 0) + 1
  end
  return counts
end

-- --- tests ---
local function same(counts, wanted)
  for word, count in pairs(counts) do
    if wanted[word] ~= count then
      return false
    end
  end
  for word in pairs(wanted) do
    if not counts[word] then
      return false
    end
  end
  return true
end

assert(same(words("To be, or not to be."), { ["to"] = 2, ["be"] = 2, ["or"] = 1, ["not"] = 1 }))
assert(same(words(""), {}))
assert(same(words("...!"), {}))
assert(same(words("one"), { ["one"] = 1 }))
assert(same(words("A a! a? B"), { ["a"] = 3, ["b"] = 1 }))
