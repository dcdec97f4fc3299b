-- The prime factors of n > 1 in ascending order, each as often as it divides n.
local function primes(n)
  local factors = {}
  local divisor = 2
  while divisor * divisor <= n do
    while n % divisor == 0 do
      table.insert(factors, divisor)
      n = n // divisor
    end
    divisor = divisor + 1
  end
  if n > 1 then
    table.insert(factors, n)
  end
  return factors
end

-- --- tests ---
assert(table.concat(primes(60), " ") == "2 2 3 5")
assert(table.concat(primes(2), " ") == "2")
assert(table.concat(primes(97), " ") == "97")
assert(table.concat(primes(1024), " ") == "2 2 2 2 2 2 2 2 2 2")
assert(table.concat(primes(999983 * 7), " ") == "7 999983")
