/** The two numbers that are closest to each other, in ascending order. */
fun closest(numbers: List<Double>): Pair<Double, Double> {
    val ordered = numbers.sorted()
    var best = 0
    for (i in 1 until ordered.size - 1) {
        if (ordered[i + 1] - ordered[i] < ordered[best + 1] - ordered[best]) best = i
    }
    return Pair(ordered[best], ordered[best + 1])
}

// --- tests ---
fun check(numbers: List<Double>, wanted: Pair<Double, Double>) {
    if (closest(numbers) != wanted) throw Exception("Exception -- test case did not pass. ${closest(numbers)}")
}

fun main() {
    check(listOf(1.0, 2.0, 2.2, 5.0), Pair(2.0, 2.2))
    check(listOf(5.0, 1.0), Pair(1.0, 5.0))
    check(listOf(3.0, 9.0, 3.0), Pair(3.0, 3.0))
    check(listOf(-1.5, 4.0, -1.0, 8.0), Pair(-1.5, -1.0))
    check(listOf(10.0, 0.0, 6.0, 4.5), Pair(4.5, 6.0))
}
