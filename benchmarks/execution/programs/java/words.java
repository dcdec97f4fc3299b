import java.util.*;

class Solution {
    /** How often each word occurs, ignoring case and punctuation. */
    public Map<String, Integer> words(String text) {
        Map<String, Integer> counts = new HashMap<>();
        for (String word : text.toLowerCase().split("[^a-z]+")) {
            if (!word.isEmpty()) counts.merge(word, 1, Integer::sum);
        }
        return counts;
    }
}

// --- tests ---
class Main {
    public static void main(String[] args) {
        Solution s = new Solution();
        List<Boolean> correct = Arrays.asList(
            s.words("To be, or not to be.").equals(Map.of("to", 2, "be", 2, "or", 1, "not", 1)),
            s.words("").isEmpty(),
            s.words("...!").isEmpty(),
            s.words("one").equals(Map.of("one", 1)),
            s.words("A a! a? B").equals(Map.of("a", 3, "b", 1))
        );
        if (correct.contains(false)) throw new AssertionError();
    }
}
