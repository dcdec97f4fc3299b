/// The two numbers that are closest to each other, in ascending order.
fn closest(mut numbers: Vec<f64>) -> (f64, f64) {
    numbers.sort_by(|a, b| a.partial_cmp(b).unwrap());
    numbers
        .windows(2)
        .map(|pair| (pair[0], pair[1]))
        .min_by(|a, b| (a.1 - a.0).partial_cmp(&(b.1 - b.0)).unwrap())
        .unwrap()
}

// --- tests ---
fn main() {
    assert_eq!(closest(vec![1.0, 2.0, 2.2, 5.0]), (2.0, 2.2));
    assert_eq!(closest(vec![5.0, 1.0]), (1.0, 5.0));
    assert_eq!(closest(vec![3.0, 9.0, 3.0]), (3.0, 3.0));
    assert_eq!(closest(vec![-1.5, 4.0, -1.0, 8.0]), (-1.5, -1.0));
    assert_eq!(closest(vec![10.0, 0.0, 6.0, 4.5]), (4.5, 6.0));
}
