using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;

class Problem {
    // How often each word occurs, ignoring case and punctuation.
    public static Dictionary<string, int> Words(string text) {
        var counts = new Dictionary<string, int>();
        foreach (Match match in Regex.Matches(text.ToLower(), "[a-z]+")) {
            int count;
            counts.TryGetValue(match.Value, out count);
            counts[match.Value] = count + 1;
        }
        return counts;
    }

    // --- tests ---
    static void Check(int number, string text, Dictionary<string, int> wanted) {
        var counts = Words(text);
        if (counts.Count != wanted.Count || counts.Except(wanted).Any()) {
            throw new Exception("Exception --- test case " + number + " failed to pass");
        }
    }

    public static void Main(string[] args) {
        Check(0, "To be, or not to be.", new Dictionary<string, int> {{"to", 2}, {"be", 2}, {"or", 1}, {"not", 1}});
        Check(1, "", new Dictionary<string, int>());
        Check(2, "...!", new Dictionary<string, int>());
        Check(3, "one", new Dictionary<string, int> {{"one", 1}});
        Check(4, "A a! a? B", new Dictionary<string, int> {{"a", 3}, {"b", 1}});
    }
}
