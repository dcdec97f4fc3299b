#!/bin/bash
# How often each word occurs, ignoring case and punctuation; a line for each word, sorted.
#
# $1 is a string
words() {
    local -A counts=()
    local word
    for word in $(tr -cs 'a-z' ' ' <<< "${1,,}"); do
        counts[$word]=$((${counts[$word]:-0} + 1))
    done
    for word in "${!counts[@]}"; do
        echo "$word ${counts[$word]}"
    done | sort
}

# --- tests ---
set -e
run_test() {
    [[ $(words "To be, or not to be.") = $'be 2\nnot 1\nor 1\nto 2' ]]
    [[ $(words "") = "" ]]
    [[ $(words "...!") = "" ]]
    [[ $(words "one") = "one 1" ]]
    [[ $(words "A a! a? B") = $'a 3\nb 1' ]]
}

run_test
