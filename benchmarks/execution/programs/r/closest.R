# The two numbers that are closest to each other, in ascending order.
closest <- function(numbers) {
  ordered <- sort(numbers)
  best <- which.min(diff(ordered))
  ordered[c(best, best + 1)]
}

# --- tests ---
stopifnot(identical(closest(c(1.0, 2.0, 2.2, 5.0)), c(2.0, 2.2)))
stopifnot(identical(closest(c(5.0, 1.0)), c(1.0, 5.0)))
stopifnot(identical(closest(c(3.0, 9.0, 3.0)), c(3.0, 3.0)))
stopifnot(identical(closest(c(-1.5, 4.0, -1.0, 8.0)), c(-1.5, -1.0)))
stopifnot(identical(closest(c(10.0, 0.0, 6.0, 4.5)), c(4.5, 6.0)))
