;; How often each word occurs, ignoring case and punctuation; pairs of a word and its count, sorted.
(define (words text)
  (let ((counts (make-hash-table)))
    (for-each (lambda (word) (hash-set! counts word (+ 1 (hash-ref counts word 0))))
              (string-tokenize (string-downcase text) char-set:letter))
    (sort (hash-map->list cons counts)
          (lambda (a b) (string<? (car a) (car b))))))

;; --- tests ---
(define (check got wanted)
  (if (not (equal? got wanted)) (error "Assertion failed:" got)))

(check (words "To be, or not to be.") '(("be" . 2) ("not" . 1) ("or" . 1) ("to" . 2)))
(check (words "") '())
(check (words "...!") '())
(check (words "one") '(("one" . 1)))
(check (words "A a! a? B") '(("a" . 3) ("b" . 1)))
