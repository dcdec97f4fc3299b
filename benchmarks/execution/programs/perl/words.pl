use strict;
use warnings;

# How often each word occurs, ignoring case and punctuation.
sub words {
    my ($text) = @_;
    my %counts;
    $counts{$_}++ for lc($text) =~ /[a-z]+/g;
    return \%counts;
}

# --- tests ---
use Test::Deep;
die "Assertion failed" unless eq_deeply(words("To be, or not to be."), { to => 2, be => 2, or => 1, not => 1 });
die "Assertion failed" unless eq_deeply(words(""), {});
die "Assertion failed" unless eq_deeply(words("...!"), {});
die "Assertion failed" unless eq_deeply(words("one"), { one => 1 });
die "Assertion failed" unless eq_deeply(words("A a! a? B"), { a => 3, b => 1 });
