use strict;
use warnings;

# The prime factors of n > 1 in ascending order, each as often as it divides n.
sub primes {
    my ($n) = @_;
    my @factors;
    for (my $divisor = 2; $divisor * $divisor <= $n; $divisor++) {
        while ($n % $divisor == 0) {
            push @factors, $divisor;
            $n /= $divisor;
        }
    }
    push @factors, $n if $n > 1;
    return \@factors;
}

# --- tests ---
use Test::Deep;
die "Assertion failed" unless eq_deeply(primes(60), [2, 2, 3, 5]);
die "Assertion failed" unless eq_deeply(primes(2), [2]);
die "Assertion failed" unless eq_deeply(primes(97), [97]);
die "Assertion failed" unless eq_deeply(primes(1024), [(2) x 10]);
die "Assertion failed" unless eq_deeply(primes(999983 * 7), [7, 999983]);
