#include <bits/stdc++.h>
using namespace std;

// How often each word occurs, ignoring case and punctuation.
map<string, int> words(string text) {
    map<string, int> counts;
    string word;
    for (char c : text + ".") {
        if (isalpha((unsigned char)c)) {
            word += tolower((unsigned char)c);
        } else if (!word.empty()) {
            counts[word]++;
            word.clear();
        }
    }
    return counts;
}

// --- tests ---
int main() {
    assert((words("To be, or not to be.") == map<string, int>{{"be", 2}, {"not", 1}, {"or", 1}, {"to", 2}}));
    assert(words("").empty());
    assert(words("...!").empty());
    assert((words("one") == map<string, int>{{"one", 1}}));
    assert((words("A a! a? B") == map<string, int>{{"a", 3}, {"b", 1}}));
}
