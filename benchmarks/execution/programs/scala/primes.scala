import scala.math._
import scala.collection.mutable._
object Problem {
    // The prime factors of n > 1 in ascending order, each as often as it divides n.
    def primes(n : Long) : List[Long] = {
        val factors = ListBuffer[Long]()
        var rest = n
        var divisor = 2L
        while (divisor * divisor <= rest) {
            while (rest % divisor == 0) {
                factors += divisor
                rest /= divisor
            }
            divisor += 1
        }
        if (rest > 1) factors += rest
        factors.toList
    }

    // --- tests ---
    def main(args: Array[String]) = {
        assert(primes((60L)).equals((List[Long](2L, 2L, 3L, 5L))))
        assert(primes((2L)).equals((List[Long](2L))))
        assert(primes((97L)).equals((List[Long](97L))))
        assert(primes((1024L)).equals((List.fill(10)(2L))))
        assert(primes((6999881L)).equals((List[Long](7L, 999983L))))
    }

}
