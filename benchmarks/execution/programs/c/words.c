#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *word;
    int count;
} Count;

// How often each word occurs, ignoring case and punctuation, in the order of their first occurrence.
Count *words(const char *text, int *size) {
    Count *counts = NULL;
    *size = 0;
    while (*text) {
        int length = 0;
        while (isalpha((unsigned char)text[length])) length++;
        if (length == 0) {
            text++;
            continue;
        }
        char *word = strndup(text, length);
        for (char *c = word; *c; c++) *c = tolower((unsigned char)*c);
        int i = 0;
        while (i < *size && strcmp(counts[i].word, word) != 0) i++;
        if (i == *size) {
            counts = realloc(counts, ++*size * sizeof(Count));
            counts[i] = (Count){word, 0};
        } else {
            free(word);
        }
        counts[i].count++;
        text += length;
    }
    return counts;
}

// --- tests ---
static int are_words(const char *text, int size, const Count *wanted) {
    int found;
    Count *counts = words(text, &found);
    if (found != size) return 0;
    for (int i = 0; i < size; i++) {
        if (strcmp(counts[i].word, wanted[i].word) != 0 || counts[i].count != wanted[i].count) return 0;
    }
    return 1;
}

int main() {
    assert(are_words("To be, or not to be.", 4, (Count[]){{"to", 2}, {"be", 2}, {"or", 1}, {"not", 1}}));
    assert(are_words("", 0, NULL));
    assert(are_words("...!", 0, NULL));
    assert(are_words("one", 1, (Count[]){{"one", 1}}));
    assert(are_words("A a! a? B", 2, (Count[]){{"a", 3}, {"b", 1}}));
    return 0;
}
