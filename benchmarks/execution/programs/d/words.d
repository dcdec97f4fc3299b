import std.algorithm;
import std.ascii;
import std.string;

/// How often each word occurs, ignoring case and punctuation.
int[string] words(string text)
{
    int[string] counts;
    foreach (word; std.string.toLower(text).splitter!(c => !isAlpha(c)))
        if (!word.empty)
            counts[word]++;
    return counts;
}

// --- tests ---
unittest
{
    assert(words("To be, or not to be.") == ["to": 2, "be": 2, "or": 1, "not": 1]);
    assert(words("").length == 0);
    assert(words("...!").length == 0);
    assert(words("one") == ["one": 1]);
    assert(words("A a! a? B") == ["a": 3, "b": 1]);
}
void main() {}
