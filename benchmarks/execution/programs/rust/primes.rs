/// The prime factors of n > 1 in ascending order, each as often as it divides n.
fn primes(mut n: u64) -> Vec<u64> {
    let mut factors = Vec::new();
    let mut divisor = 2;
    while divisor * divisor <= n {
        while n % divisor == 0 {
            factors.push(divisor);
            n /= divisor;
        }
        divisor += 1;
    }
    if n > 1 {
        factors.push(n);
    }
    factors
}

// --- tests ---
fn main() {
    assert_eq!(primes(60), vec![2, 2, 3, 5]);
    assert_eq!(primes(2), vec![2]);
    assert_eq!(primes(97), vec![97]);
    assert_eq!(primes(1024), vec![2; 10]);
    assert_eq!(primes(999983 * 7), vec![7, 999983]);
}
