use std::collections::HashMap;

/// How often each word occurs, ignoring case and punctuation.
fn words(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
        *counts.entry(word.to_lowercase()).or_insert(0) += 1;
    }
    counts
}

// --- tests ---
fn counts(pairs: &[(&str, usize)]) -> HashMap<String, usize> {
    pairs.iter().map(|(word, count)| (word.to_string(), *count)).collect()
}

fn main() {
    assert_eq!(words("To be, or not to be."), counts(&[("to", 2), ("be", 2), ("or", 1), ("not", 1)]));
    assert_eq!(words(""), counts(&[]));
    assert_eq!(words("...!"), counts(&[]));
    assert_eq!(words("one"), counts(&[("one", 1)]));
    assert_eq!(words("A a! a? B"), counts(&[("a", 3), ("b", 1)]));
}
