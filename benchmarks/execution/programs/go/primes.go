package main

import "reflect"

// Primes returns the prime factors of n > 1 in ascending order, each as often as it divides n.
func Primes(n int) []int {
	factors := []int{}
	for divisor := 2; divisor*divisor <= n; divisor++ {
		for ; n%divisor == 0; n /= divisor {
			factors = append(factors, divisor)
		}
	}
	if n > 1 {
		factors = append(factors, n)
	}
	return factors
}

// --- tests ---
func check(n int, wanted ...int) {
	if got := Primes(n); !reflect.DeepEqual(got, wanted) {
		panic(got)
	}
}

func main() {
	check(60, 2, 2, 3, 5)
	check(2, 2)
	check(97, 97)
	check(1024, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2)
	check(999983*7, 7, 999983)
}
