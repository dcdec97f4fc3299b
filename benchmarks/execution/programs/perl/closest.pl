use strict;
use warnings;

# The two numbers that are closest to each other, in ascending order.
sub closest {
    my ($numbers) = @_;
    my @ordered = sort { $a <=> $b } @$numbers;
    my $best = 0;
    for my $i (1 .. $#ordered - 1) {
        $best = $i if $ordered[$i + 1] - $ordered[$i] < $ordered[$best + 1] - $ordered[$best];
    }
    return [@ordered[$best, $best + 1]];
}

# --- tests ---
use Test::Deep;
die "Assertion failed" unless eq_deeply(closest([1.0, 2.0, 2.2, 5.0]), [2.0, 2.2]);
die "Assertion failed" unless eq_deeply(closest([5.0, 1.0]), [1.0, 5.0]);
die "Assertion failed" unless eq_deeply(closest([3.0, 9.0, 3.0]), [3.0, 3.0]);
die "Assertion failed" unless eq_deeply(closest([-1.5, 4.0, -1.0, 8.0]), [-1.5, -1.0]);
die "Assertion failed" unless eq_deeply(closest([10.0, 0.0, 6.0, 4.5]), [4.5, 6.0]);
