#lang racket

;; The two numbers that are closest to each other, in ascending order.
(define (closest numbers)
  (define ordered (sort numbers <))
  (argmin (lambda (pair) (- (second pair) (first pair)))
          (map list (drop-right ordered 1) (rest ordered))))

;; --- tests ---
(require rackunit)
(check-equal? (closest '(1.0 2.0 2.2 5.0)) '(2.0 2.2))
(check-equal? (closest '(5.0 1.0)) '(1.0 5.0))
(check-equal? (closest '(3.0 9.0 3.0)) '(3.0 3.0))
(check-equal? (closest '(-1.5 4.0 -1.0 8.0)) '(-1.5 -1.0))
(check-equal? (closest '(10.0 0.0 6.0 4.5)) '(4.5 6.0))
