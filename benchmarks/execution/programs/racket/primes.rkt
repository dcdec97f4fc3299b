#lang racket

;; The prime factors of n > 1 in ascending order, each as often as it divides n.
(define (primes n)
  (let loop ([n n] [divisor 2])
    (cond
      [(= n 1) '()]
      [(> (* divisor divisor) n) (list n)]
      [(zero? (remainder n divisor)) (cons divisor (loop (quotient n divisor) divisor))]
      [else (loop n (add1 divisor))])))

;; --- tests ---
(require rackunit)
(check-equal? (primes 60) '(2 2 3 5))
(check-equal? (primes 2) '(2))
(check-equal? (primes 97) '(97))
(check-equal? (primes 1024) (make-list 10 2))
(check-equal? (primes (* 999983 7)) '(7 999983))
