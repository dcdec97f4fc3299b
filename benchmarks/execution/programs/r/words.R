# How often each word occurs, ignoring case and punctuation; a list by word, sorted.
words <- function(text) {
  text <- tolower(text)
  found <- regmatches(text, gregexpr("[a-z]+", text))[[1]]
  counts <- list()
  for (word in sort(unique(found))) {
    counts[[word]] <- sum(found == word)
  }
  counts
}

# --- tests ---
stopifnot(identical(words("To be, or not to be."), list(be = 2L, not = 1L, or = 1L, to = 2L)))
stopifnot(identical(words(""), list()))
stopifnot(identical(words("...!"), list()))
stopifnot(identical(words("one"), list(one = 1L)))
stopifnot(identical(words("A a! a? B"), list(a = 3L, b = 1L)))
