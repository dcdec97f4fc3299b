defmodule Problem do
  # How often each word occurs, ignoring case and punctuation.
  def words(text) do
    text
    |> String.downcase()
    |> String.split(~r/[^a-z]+/, trim: true)
    |> Enum.frequencies()
  end
end

# --- tests ---
ExUnit.start()

defmodule ProblemTest do
  use ExUnit.Case

  test "words" do
    assert Problem.words("To be, or not to be.") == %{"to" => 2, "be" => 2, "or" => 1, "not" => 1}
    assert Problem.words("") == %{}
    assert Problem.words("...!") == %{}
    assert Problem.words("one") == %{"one" => 1}
    assert Problem.words("A a! a? B") == %{"a" => 3, "b" => 1}
  end
end
