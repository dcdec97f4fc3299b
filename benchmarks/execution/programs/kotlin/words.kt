/** How often each word occurs, ignoring case and punctuation. */
fun words(text: String): Map<String, Int> {
    val counts = HashMap<String, Int>()
    for (word in text.toLowerCase().split(Regex("[^a-z]+"))) {
        if (word.isNotEmpty()) counts[word] = (counts[word] ?: 0) + 1
    }
    return counts
}

// --- tests ---
fun check(text: String, wanted: Map<String, Int>) {
    if (words(text) != wanted) throw Exception("Exception -- test case did not pass. ${words(text)}")
}

fun main() {
    check("To be, or not to be.", mapOf("to" to 2, "be" to 2, "or" to 1, "not" to 1))
    check("", mapOf())
    check("...!", mapOf())
    check("one", mapOf("one" to 1))
    check("A a! a? B", mapOf("a" to 3, "b" to 1))
}
