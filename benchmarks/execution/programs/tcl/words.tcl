# How often each word occurs, ignoring case and punctuation; a dictionary in the order of their first occurrence.
proc words {text} {
    set counts [dict create]
    foreach word [regexp -all -inline {[a-z]+} [string tolower $text]] {
        dict incr counts $word
    }
    return $counts
}

# --- tests ---
if {[words "To be, or not to be."] ne {to 2 be 2 or 1 not 1}} { error "Assertion failed" }
if {[words ""] ne {}} { error "Assertion failed" }
if {[words "...!"] ne {}} { error "Assertion failed" }
if {[words "one"] ne {one 1}} { error "Assertion failed" }
if {[words "A a! a? B"] ne {a 3 b 1}} { error "Assertion failed" }
