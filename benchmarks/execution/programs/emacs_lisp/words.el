(defun words (text)
  "How often each word of TEXT occurs, ignoring case and punctuation; pairs of a word and its count, sorted."
  (let ((counts nil))
    (dolist (word (split-string (downcase text) "[^a-z]+" t))
      (let ((pair (assoc word counts)))
        (if pair
            (setcdr pair (1+ (cdr pair)))
          (push (cons word 1) counts))))
    (sort counts (lambda (a b) (string< (car a) (car b))))))

;; --- tests ---
(require 'cl-lib)
(cl-assert (equal (words "To be, or not to be.") '(("be" . 2) ("not" . 1) ("or" . 1) ("to" . 2))))
(cl-assert (equal (words "") nil))
(cl-assert (equal (words "...!") nil))
(cl-assert (equal (words "one") '(("one" . 1))))
(cl-assert (equal (words "A a! a? B") '(("a" . 3) ("b" . 1))))
