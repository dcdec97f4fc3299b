#!/bin/bash
# The prime factors of n > 1 in ascending order, each as often as it divides n.
#
# $1 is an integer
primes() {
    local n=$1 divisor factors=()
    for ((divisor = 2; divisor * divisor <= n; divisor++)); do
        while ((n % divisor == 0)); do
            factors+=("$divisor")
            n=$((n / divisor))
        done
    done
    if ((n > 1)); then
        factors+=("$n")
    fi
    echo "${factors[@]}"
}

# --- tests ---
set -e
run_test() {
    [[ $(primes 60) = "2 2 3 5" ]]
    [[ $(primes 2) = "2" ]]
    [[ $(primes 97) = "97" ]]
    [[ $(primes 1024) = "2 2 2 2 2 2 2 2 2 2" ]]
    [[ $(primes $((999983 * 7))) = "7 999983" ]]
}

run_test
