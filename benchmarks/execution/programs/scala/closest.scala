import scala.math._
import scala.collection.mutable._
object Problem {
    // The two numbers that are closest to each other, in ascending order.
    def closest(numbers : List[Double]) : Tuple2[Double, Double] = {
        val ordered = numbers.sorted
        ordered.zip(ordered.tail).minBy { case (a, b) => b - a }
    }

    // --- tests ---
    def main(args: Array[String]) = {
        assert(closest(List[Double](1.0, 2.0, 2.2, 5.0)).equals((2.0, 2.2)))
        assert(closest(List[Double](5.0, 1.0)).equals((1.0, 5.0)))
        assert(closest(List[Double](3.0, 9.0, 3.0)).equals((3.0, 3.0)))
        assert(closest(List[Double](-1.5, 4.0, -1.0, 8.0)).equals((-1.5, -1.0)))
        assert(closest(List[Double](10.0, 0.0, 6.0, 4.5)).equals((4.5, 6.0)))
    }

}
