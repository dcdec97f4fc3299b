<?php
// The prime factors of $n > 1 in ascending order, each as often as it divides $n.
function primes($n) {
    $factors = [];
    for ($divisor = 2; $divisor * $divisor <= $n; $divisor++) {
        while ($n % $divisor === 0) {
            $factors[] = $divisor;
            $n = intdiv($n, $divisor);
        }
    }
    if ($n > 1) {
        $factors[] = $n;
    }
    return $factors;
}

// --- tests ---
if (primes(60) !== [2, 2, 3, 5]) { throw new Exception("Test failed!"); }
if (primes(2) !== [2]) { throw new Exception("Test failed!"); }
if (primes(97) !== [97]) { throw new Exception("Test failed!"); }
if (primes(1024) !== array_fill(0, 10, 2)) { throw new Exception("Test failed!"); }
if (primes(999983 * 7) !== [7, 999983]) { throw new Exception("Test failed!"); }
