import Data.Char (isAlpha, toLower)
import qualified Data.Map as Map

-- How often each word occurs, ignoring case and punctuation.
wordCounts :: String -> Map.Map String Int
wordCounts text = Map.fromListWith (+) [(word, 1) | word <- words (map letter text)]
  where
    letter c = if isAlpha c then toLower c else ' '

-- --- tests ---
check :: Bool -> IO ()
check ok = if ok then pure () else error "assertion failed"

main :: IO ()
main = do
  check (wordCounts "To be, or not to be." == Map.fromList [("to", 2), ("be", 2), ("or", 1), ("not", 1)])
  check (wordCounts "" == Map.empty)
  check (wordCounts "...!" == Map.empty)
  check (wordCounts "one" == Map.fromList [("one", 1)])
  check (wordCounts "A a! a? B" == Map.fromList [("a", 3), ("b", 1)])
