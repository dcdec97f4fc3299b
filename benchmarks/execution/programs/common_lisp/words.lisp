(defun words (text)
  "How often each word occurs, ignoring case and punctuation; pairs of a word and its count, sorted."
  (let ((counts (make-hash-table :test #'equal))
        (pairs nil))
    (loop with end = 0
          for start = (position-if #'alpha-char-p text :start end)
          while start
          do (setf end (or (position-if-not #'alpha-char-p text :start start) (length text)))
             (incf (gethash (string-downcase (subseq text start end)) counts 0)))
    (maphash (lambda (word count) (push (cons word count) pairs)) counts)
    (sort pairs #'string< :key #'car)))

;; --- tests ---
(assert (equal (words "To be, or not to be.") '(("be" . 2) ("not" . 1) ("or" . 1) ("to" . 2))))
(assert (equal (words "") nil))
(assert (equal (words "...!") nil))
(assert (equal (words "one") '(("one" . 1))))
(assert (equal (words "A a! a? B") '(("a" . 3) ("b" . 1))))
