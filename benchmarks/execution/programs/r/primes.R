# The prime factors of n > 1 in ascending order, each as often as it divides n.
primes <- function(n) {
  factors <- c()
  divisor <- 2
  while (divisor * divisor <= n) {
    while (n %% divisor == 0) {
      factors <- c(factors, divisor)
      n <- n / divisor
    }
    divisor <- divisor + 1
  }
  if (n > 1) {
    factors <- c(factors, n)
  }
  factors
}

# --- tests ---
stopifnot(identical(primes(60), c(2, 2, 3, 5)))
stopifnot(identical(primes(2), 2))
stopifnot(identical(primes(97), 97))
stopifnot(identical(primes(1024), rep(2, 10)))
stopifnot(identical(primes(999983 * 7), c(7, 999983)))
