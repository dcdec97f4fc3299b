defmodule Problem do
  # The two numbers that are closest to each other, in ascending order.
  def closest(numbers) do
    numbers
    |> Enum.sort()
    |> Enum.chunk_every(2, 1, :discard)
    |> Enum.min_by(fn [a, b] -> b - a end)
  end
end

# --- tests ---
ExUnit.start()

defmodule ProblemTest do
  use ExUnit.Case

  test "closest" do
    assert Problem.closest([1.0, 2.0, 2.2, 5.0]) == [2.0, 2.2]
    assert Problem.closest([5.0, 1.0]) == [1.0, 5.0]
    assert Problem.closest([3.0, 9.0, 3.0]) == [3.0, 3.0]
    assert Problem.closest([-1.5, 4.0, -1.0, 8.0]) == [-1.5, -1.0]
    assert Problem.closest([10.0, 0.0, 6.0, 4.5]) == [4.5, 6.0]
  end
end
