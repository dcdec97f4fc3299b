#lang racket

;; How often each word occurs, ignoring case and punctuation.
(define (words text)
  (for/fold ([counts (hash)])
            ([word (regexp-match* #rx"[a-z]+" (string-downcase text))])
    (hash-update counts word add1 0)))

;; --- tests ---
(require rackunit)
(check-equal? (words "To be, or not to be.") (hash "to" 2 "be" 2 "or" 1 "not" 1))
(check-equal? (words "") (hash))
(check-equal? (words "...!") (hash))
(check-equal? (words "one") (hash "one" 1))
(check-equal? (words "A a! a? B") (hash "a" 3 "b" 1))
