/** The prime factors of n > 1 in ascending order, each as often as it divides n. */
fun primes(n: Long): List<Long> {
    val factors = ArrayList<Long>()
    var rest = n
    var divisor = 2L
    while (divisor * divisor <= rest) {
        while (rest % divisor == 0L) {
            factors.add(divisor)
            rest /= divisor
        }
        divisor++
    }
    if (rest > 1) factors.add(rest)
    return factors
}

// --- tests ---
fun check(n: Long, wanted: List<Long>) {
    if (primes(n) != wanted) throw Exception("Exception -- test case did not pass. ${primes(n)}")
}

fun main() {
    check(60, listOf(2L, 2L, 3L, 5L))
    check(2, listOf(2L))
    check(97, listOf(97L))
    check(1024, List(10) { 2L })
    check(999983L * 7, listOf(7L, 999983L))
}
