(defun primes (n)
  "The prime factors of N > 1 in ascending order, each as often as it divides N."
  (let ((divisor 2) (factors nil))
    (while (<= (* divisor divisor) n)
      (while (zerop (% n divisor))
        (push divisor factors)
        (setq n (/ n divisor)))
      (setq divisor (1+ divisor)))
    (when (> n 1)
      (push n factors))
    (nreverse factors)))

;; --- tests ---
(require 'cl-lib)
(cl-assert (equal (primes 60) '(2 2 3 5)))
(cl-assert (equal (primes 2) '(2)))
(cl-assert (equal (primes 97) '(97)))
(cl-assert (equal (primes 1024) (make-list 10 2)))
(cl-assert (equal (primes (* 999983 7)) '(7 999983)))
