(defun closest (numbers)
  "The two of NUMBERS that are closest to each other, in ascending order."
  (let ((ordered (sort (copy-sequence numbers) #'<))
        (best nil))
    (while (cdr ordered)
      (let ((low (car ordered)) (high (cadr ordered)))
        (when (or (null best) (< (- high low) (- (cadr best) (car best))))
          (setq best (list low high))))
      (setq ordered (cdr ordered)))
    best))

;; --- tests ---
(require 'cl-lib)
(cl-assert (equal (closest '(1.0 2.0 2.2 5.0)) '(2.0 2.2)))
(cl-assert (equal (closest '(5.0 1.0)) '(1.0 5.0)))
(cl-assert (equal (closest '(3.0 9.0 3.0)) '(3.0 3.0)))
(cl-assert (equal (closest '(-1.5 4.0 -1.0 8.0)) '(-1.5 -1.0)))
(cl-assert (equal (closest '(10.0 0.0 6.0 4.5)) '(4.5 6.0)))
