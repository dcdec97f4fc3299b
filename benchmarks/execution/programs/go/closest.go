package main

import "sort"

// Closest returns the two numbers that are closest to each other, in ascending order.
func Closest(numbers []float64) (float64, float64) {
	sort.Float64s(numbers)
	best := 0
	for i := 1; i+1 < len(numbers); i++ {
		if numbers[i+1]-numbers[i] < numbers[best+1]-numbers[best] {
			best = i
		}
	}
	return numbers[best], numbers[best+1]
}

// --- tests ---
func check(a, b float64, numbers ...float64) {
	if x, y := Closest(numbers); x != a || y != b {
		panic("wrong")
	}
}

func main() {
	check(2.0, 2.2, 1.0, 2.0, 2.2, 5.0)
	check(1.0, 5.0, 5.0, 1.0)
	check(3.0, 3.0, 3.0, 9.0, 3.0)
	check(-1.5, -1.0, -1.5, 4.0, -1.0, 8.0)
	check(4.5, 6.0, 10.0, 0.0, 6.0, 4.5)
}
