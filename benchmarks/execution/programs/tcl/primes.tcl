# The prime factors of n > 1 in ascending order, each as often as it divides n.
proc primes {n} {
    set factors {}
    for {set divisor 2} {$divisor * $divisor <= $n} {incr divisor} {
        while {$n % $divisor == 0} {
            lappend factors $divisor
            set n [expr {$n / $divisor}]
        }
    }
    if {$n > 1} {
        lappend factors $n
    }
    return $factors
}

# --- tests ---
if {[primes 60] ne {2 2 3 5}} { error "Assertion failed" }
if {[primes 2] ne {2}} { error "Assertion failed" }
if {[primes 97] ne {97}} { error "Assertion failed" }
if {[primes 1024] ne [lrepeat 10 2]} { error "Assertion failed" }
if {[primes [expr {999983 * 7}]] ne {7 999983}} { error "Assertion failed" }
