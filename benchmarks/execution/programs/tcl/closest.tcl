# The two numbers that are closest to each other, in ascending order.
proc closest {numbers} {
    set ordered [lsort -real $numbers]
    set best {}
    foreach low [lrange $ordered 0 end-1] high [lrange $ordered 1 end] {
        if {$best eq {} || $high - $low < [lindex $best 1] - [lindex $best 0]} {
            set best [list $low $high]
        }
    }
    return $best
}

# --- tests ---
if {[closest {1.0 2.0 2.2 5.0}] ne {2.0 2.2}} { error "Assertion failed" }
if {[closest {5.0 1.0}] ne {1.0 5.0}} { error "Assertion failed" }
if {[closest {3.0 9.0 3.0}] ne {3.0 3.0}} { error "Assertion failed" }
if {[closest {-1.5 4.0 -1.0 8.0}] ne {-1.5 -1.0}} { error "Assertion failed" }
if {[closest {10.0 0.0 6.0 4.5}] ne {4.5 6.0}} { error "Assertion failed" }
