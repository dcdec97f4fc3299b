# The prime factors of n > 1 in ascending order, each as often as it divides n.
def primes(n)
  factors = []
  divisor = 2
  while divisor * divisor <= n
    while n % divisor == 0
      factors << divisor
      n /= divisor
    end
    divisor += 1
  end
  factors << n if n > 1
  factors
end

# --- tests ---
raise "Test failed" unless primes(60) == [2, 2, 3, 5]
raise "Test failed" unless primes(2) == [2]
raise "Test failed" unless primes(97) == [97]
raise "Test failed" unless primes(1024) == [2] * 10
raise "Test failed" unless primes(999983 * 7) == [7, 999983]
