<?php
// The two numbers that are closest to each other, in ascending order.
function closest($numbers) {
    sort($numbers);
    $best = 0;
    for ($i = 1; $i + 1 < count($numbers); $i++) {
        if ($numbers[$i + 1] - $numbers[$i] < $numbers[$best + 1] - $numbers[$best]) {
            $best = $i;
        }
    }
    return [$numbers[$best], $numbers[$best + 1]];
}

// --- tests ---
if (closest([1.0, 2.0, 2.2, 5.0]) !== [2.0, 2.2]) { throw new Exception("Test failed!"); }
if (closest([5.0, 1.0]) !== [1.0, 5.0]) { throw new Exception("Test failed!"); }
if (closest([3.0, 9.0, 3.0]) !== [3.0, 3.0]) { throw new Exception("Test failed!"); }
if (closest([-1.5, 4.0, -1.0, 8.0]) !== [-1.5, -1.0]) { throw new Exception("Test failed!"); }
if (closest([10.0, 0.0, 6.0, 4.5]) !== [4.5, 6.0]) { throw new Exception("Test failed!"); }
