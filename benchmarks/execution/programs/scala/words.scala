import scala.math._
import scala.collection.mutable._
object Problem {
    // How often each word occurs, ignoring case and punctuation.
    def words(text : String) : Map[String, Int] = {
        val counts = Map[String, Int]()
        for (word <- text.toLowerCase.split("[^a-z]+") if word.nonEmpty) {
            counts(word) = counts.getOrElse(word, 0) + 1
        }
        counts
    }

    // --- tests ---
    def main(args: Array[String]) = {
        assert(words("To be, or not to be.").equals(Map[String, Int]("to" -> 2, "be" -> 2, "or" -> 1, "not" -> 1)))
        assert(words("").equals(Map[String, Int]()))
        assert(words("...!").equals(Map[String, Int]()))
        assert(words("one").equals(Map[String, Int]("one" -> 1)))
        assert(words("A a! a? B").equals(Map[String, Int]("a" -> 3, "b" -> 1)))
    }

}
