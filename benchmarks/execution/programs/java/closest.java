import java.util.*;

class Solution {
    /** The two numbers that are closest to each other, in ascending order. */
    public List<Double> closest(List<Double> numbers) {
        List<Double> ordered = new ArrayList<>(numbers);
        Collections.sort(ordered);
        int best = 0;
        for (int i = 1; i + 1 < ordered.size(); i++) {
            if (ordered.get(i + 1) - ordered.get(i) < ordered.get(best + 1) - ordered.get(best)) best = i;
        }
        return ordered.subList(best, best + 2);
    }
}

// --- tests ---
class Main {
    public static void main(String[] args) {
        Solution s = new Solution();
        List<Boolean> correct = Arrays.asList(
            s.closest(Arrays.asList(1.0, 2.0, 2.2, 5.0)).equals(Arrays.asList(2.0, 2.2)),
            s.closest(Arrays.asList(5.0, 1.0)).equals(Arrays.asList(1.0, 5.0)),
            s.closest(Arrays.asList(3.0, 9.0, 3.0)).equals(Arrays.asList(3.0, 3.0)),
            s.closest(Arrays.asList(-1.5, 4.0, -1.0, 8.0)).equals(Arrays.asList(-1.5, -1.0)),
            s.closest(Arrays.asList(10.0, 0.0, 6.0, 4.5)).equals(Arrays.asList(4.5, 6.0))
        );
        if (correct.contains(false)) throw new AssertionError();
    }
}
