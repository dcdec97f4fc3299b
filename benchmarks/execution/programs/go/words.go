package main

import (
	"fmt"
	"strings"
	"unicode"
)

// Words counts how often each word occurs, ignoring case and punctuation.
func Words(text string) map[string]int {
	counts := map[string]int{}
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		counts[word]++
	}
	return counts
}

// --- tests ---
func check(text, wanted string) {
	if got := fmt.Sprint(Words(text)); got != wanted {
		panic(got)
	}
}

func main() {
	check("To be, or not to be.", "map[be:2 not:1 or:1 to:2]")
	check("", "map[]")
	check("...!", "map[]")
	check("one", "map[one:1]")
	check("A a! a? B", "map[a:3 b:1]")
}
