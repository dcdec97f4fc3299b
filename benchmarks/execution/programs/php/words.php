<?php
// How often each word occurs, ignoring case and punctuation.
function words($text) {
    preg_match_all('/[a-z]+/', strtolower($text), $matches);
    return array_count_values($matches[0]);
}

// --- tests ---
$wanted = ["to" => 2, "be" => 2, "or" => 1, "not" => 1];
if (words("To be, or not to be.") !== $wanted) { throw new Exception("Test failed!"); }
if (words("") !== []) { throw new Exception("Test failed!"); }
if (words("...!") !== []) { throw new Exception("Test failed!"); }
if (words("one") !== ["one" => 1]) { throw new Exception("Test failed!"); }
if (words("A a! a? B") !== ["a" => 3, "b" => 1]) { throw new Exception("Test failed!"); }
