-- The prime factors of n > 1 in ascending order, each as often as it divides n.
primes :: Int -> [Int]
primes = from 2
  where
    from divisor n
      | n == 1 = []
      | divisor * divisor > n = [n]
      | n `mod` divisor == 0 = divisor : from divisor (n `div` divisor)
      | otherwise = from (divisor + 1) n

-- --- tests ---
check :: Bool -> IO ()
check ok = if ok then pure () else error "assertion failed"

main :: IO ()
main = do
  check (primes 60 == [2, 2, 3, 5])
  check (primes 2 == [2])
  check (primes 97 == [97])
  check (primes 1024 == replicate 10 2)
  check (primes (999983 * 7) == [7, 999983])
