import std.algorithm;
import std.range;
import std.typecons;

/// The two numbers that are closest to each other, in ascending order.
Tuple!(double, double) closest(double[] numbers)
{
    auto ordered = numbers.dup.sort.release;
    size_t best = 0;
    foreach (i; 1 .. ordered.length - 1)
        if (ordered[i + 1] - ordered[i] < ordered[best + 1] - ordered[best])
            best = i;
    return tuple(ordered[best], ordered[best + 1]);
}

// --- tests ---
unittest
{
    assert(closest([1.0, 2.0, 2.2, 5.0]) == tuple(2.0, 2.2));
    assert(closest([5.0, 1.0]) == tuple(1.0, 5.0));
    assert(closest([3.0, 9.0, 3.0]) == tuple(3.0, 3.0));
    assert(closest([-1.5, 4.0, -1.0, 8.0]) == tuple(-1.5, -1.0));
    assert(closest([10.0, 0.0, 6.0, 4.5]) == tuple(4.5, 6.0));
}
void main() {}
