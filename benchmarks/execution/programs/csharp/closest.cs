using System;
using System.Collections.Generic;
using System.Linq;

class Problem {
    // The two numbers that are closest to each other, in ascending order.
    public static List<double> Closest(List<double> numbers) {
        var ordered = numbers.OrderBy(x => x).ToList();
        int best = 0;
        for (int i = 1; i + 1 < ordered.Count; i++) {
            if (ordered[i + 1] - ordered[i] < ordered[best + 1] - ordered[best]) best = i;
        }
        return ordered.GetRange(best, 2);
    }

    // --- tests ---
    static void Check(int number, double[] numbers, double[] wanted) {
        if (!Closest(numbers.ToList()).SequenceEqual(wanted)) {
            throw new Exception("Exception --- test case " + number + " failed to pass");
        }
    }

    public static void Main(string[] args) {
        Check(0, new[] {1.0, 2.0, 2.2, 5.0}, new[] {2.0, 2.2});
        Check(1, new[] {5.0, 1.0}, new[] {1.0, 5.0});
        Check(2, new[] {3.0, 9.0, 3.0}, new[] {3.0, 3.0});
        Check(3, new[] {-1.5, 4.0, -1.0, 8.0}, new[] {-1.5, -1.0});
        Check(4, new[] {10.0, 0.0, 6.0, 4.5}, new[] {4.5, 6.0});
    }
}
