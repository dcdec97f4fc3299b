(defun closest (numbers)
  "The two numbers that are closest to each other, in ascending order."
  (let ((ordered (sort (copy-list numbers) #'<))
        (best nil))
    (loop for (low high) on ordered
          while high
          when (or (null best) (< (- high low) (- (second best) (first best))))
            do (setf best (list low high)))
    best))

;; --- tests ---
(assert (equal (closest '(1.0 2.0 2.2 5.0)) '(2.0 2.2)))
(assert (equal (closest '(5.0 1.0)) '(1.0 5.0)))
(assert (equal (closest '(3.0 9.0 3.0)) '(3.0 3.0)))
(assert (equal (closest '(-1.5 4.0 -1.0 8.0)) '(-1.5 -1.0)))
(assert (equal (closest '(10.0 0.0 6.0 4.5)) '(4.5 6.0)))
