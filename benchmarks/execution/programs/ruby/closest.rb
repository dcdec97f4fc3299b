# The two numbers that are closest to each other, in ascending order.
def closest(numbers)
  numbers.sort.each_cons(2).min_by { |a, b| b - a }
end

# --- tests ---
raise "Test failed" unless closest([1.0, 2.0, 2.2, 5.0]) == [2.0, 2.2]
raise "Test failed" unless closest([5.0, 1.0]) == [1.0, 5.0]
raise "Test failed" unless closest([3.0, 9.0, 3.0]) == [3.0, 3.0]
raise "Test failed" unless closest([-1.5, 4.0, -1.0, 8.0]) == [-1.5, -1.0]
raise "Test failed" unless closest([10.0, 0.0, 6.0, 4.5]) == [4.5, 6.0]
