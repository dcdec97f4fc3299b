(defun primes (n &optional (divisor 2))
  "The prime factors of n > 1 in ascending order, each as often as it divides n."
  (cond
    ((= n 1) nil)
    ((> (* divisor divisor) n) (list n))
    ((zerop (mod n divisor)) (cons divisor (primes (/ n divisor) divisor)))
    (t (primes n (1+ divisor)))))

;; --- tests ---
(assert (equal (primes 60) '(2 2 3 5)))
(assert (equal (primes 2) '(2)))
(assert (equal (primes 97) '(97)))
(assert (equal (primes 1024) (make-list 10 :initial-element 2)))
(assert (equal (primes (* 999983 7)) '(7 999983)))
