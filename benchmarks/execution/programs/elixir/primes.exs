defmodule Problem do
  # The prime factors of n > 1 in ascending order, each as often as it divides n.
  def primes(n, divisor \\ 2)
  def primes(1, _), do: []
  def primes(n, divisor) when divisor * divisor > n, do: [n]
  def primes(n, divisor) when rem(n, divisor) == 0, do: [divisor | primes(div(n, divisor), divisor)]
  def primes(n, divisor), do: primes(n, divisor + 1)
end

# --- tests ---
ExUnit.start()

defmodule ProblemTest do
  use ExUnit.Case

  test "primes" do
    assert Problem.primes(60) == [2, 2, 3, 5]
    assert Problem.primes(2) == [2]
    assert Problem.primes(97) == [97]
    assert Problem.primes(1024) == List.duplicate(2, 10)
    assert Problem.primes(999983 * 7) == [7, 999983]
  end
end
