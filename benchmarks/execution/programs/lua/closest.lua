-- The two numbers that are closest to each other, in ascending order.
local function closest(numbers)
  local ordered = { table.unpack(numbers) }
  table.sort(ordered)
  local best = 1
  for i = 2, #ordered - 1 do
    if ordered[i + 1] - ordered[i] < ordered[best + 1] - ordered[best] then
      best = i
    end
  end
  return ordered[best], ordered[best + 1]
end

-- --- tests ---
local function is_closest(numbers, low, high)
  local a, b = closest(numbers)
  return a == low and b == high
end

assert(is_closest({ 1.0, 2.0, 2.2, 5.0 }, 2.0, 2.2))
assert(is_closest({ 5.0, 1.0 }, 1.0, 5.0))
assert(is_closest({ 3.0, 9.0, 3.0 }, 3.0, 3.0))
assert(is_closest({ -1.5, 4.0, -1.0, 8.0 }, -1.5, -1.0))
assert(is_closest({ 10.0, 0.0, 6.0, 4.5 }, 4.5, 6.0))
