;; The two numbers that are closest to each other, in ascending order.
(define (closest numbers)
  (let loop ((ordered (sort numbers <)) (best #f))
    (if (null? (cdr ordered))
        best
        (let ((low (car ordered)) (high (cadr ordered)))
          (loop (cdr ordered)
                (if (or (not best) (< (- high low) (- (cadr best) (car best))))
                    (list low high)
                    best))))))

;; --- tests ---
(define (check got wanted)
  (if (not (equal? got wanted)) (error "Assertion failed:" got)))

(check (closest '(1.0 2.0 2.2 5.0)) '(2.0 2.2))
(check (closest '(5.0 1.0)) '(1.0 5.0))
(check (closest '(3.0 9.0 3.0)) '(3.0 3.0))
(check (closest '(-1.5 4.0 -1.0 8.0)) '(-1.5 -1.0))
(check (closest '(10.0 0.0 6.0 4.5)) '(4.5 6.0))
