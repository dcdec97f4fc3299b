import Data.List (minimumBy, sort)
import Data.Ord (comparing)

-- The two numbers that are closest to each other, in ascending order.
closest :: [Double] -> (Double, Double)
closest numbers = minimumBy (comparing (\(a, b) -> b - a)) (zip ordered (tail ordered))
  where
    ordered = sort numbers

-- --- tests ---
check :: Bool -> IO ()
check ok = if ok then pure () else error "assertion failed"

main :: IO ()
main = do
  check (closest [1.0, 2.0, 2.2, 5.0] == (2.0, 2.2))
  check (closest [5.0, 1.0] == (1.0, 5.0))
  check (closest [3.0, 9.0, 3.0] == (3.0, 3.0))
  check (closest [-1.5, 4.0, -1.0, 8.0] == (-1.5, -1.0))
  check (closest [10.0, 0.0, 6.0, 4.5] == (4.5, 6.0))
