;; The prime factors of n > 1 in ascending order, each as often as it divides n.
(define (primes n)
  (let loop ((n n) (divisor 2))
    (cond
      ((= n 1) '())
      ((> (* divisor divisor) n) (list n))
      ((= 0 (remainder n divisor)) (cons divisor (loop (quotient n divisor) divisor)))
      (else (loop n (+ divisor 1))))))

;; --- tests ---
(define (check got wanted)
  (if (not (equal? got wanted)) (error "Assertion failed:" got)))

(check (primes 60) '(2 2 3 5))
(check (primes 2) '(2))
(check (primes 97) '(97))
(check (primes 1024) (make-list 10 2))
(check (primes (* 999983 7)) '(7 999983))
