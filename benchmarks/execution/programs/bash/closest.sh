#!/bin/bash
# The two numbers that are closest to each other, in ascending order.
#
# $1 is a space-separated list
closest() {
    tr ' ' '\n' <<< "$1" | sort -n | awk '
        NR == 2 || NR > 2 && $1 - last < least { least = $1 - last; pair = last " " $1 }
        { last = $1 }
        END { print pair }
    '
}

# --- tests ---
set -e
run_test() {
    [[ $(closest "1.0 2.0 2.2 5.0") = "2.0 2.2" ]]
    [[ $(closest "5.0 1.0") = "1.0 5.0" ]]
    [[ $(closest "3.0 9.0 3.0") = "3.0 3.0" ]]
    [[ $(closest "-1.5 4.0 -1.0 8.0") = "-1.5 -1.0" ]]
    [[ $(closest "10.0 0.0 6.0 4.5") = "4.5 6.0" ]]
}

run_test
