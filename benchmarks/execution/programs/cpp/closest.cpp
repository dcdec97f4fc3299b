#include <bits/stdc++.h>
using namespace std;

// The two numbers that are closest to each other, in ascending order.
pair<double, double> closest(vector<double> numbers) {
    sort(numbers.begin(), numbers.end());
    size_t best = 0;
    for (size_t i = 1; i + 1 < numbers.size(); i++)
        if (numbers[i + 1] - numbers[i] < numbers[best + 1] - numbers[best]) best = i;
    return {numbers[best], numbers[best + 1]};
}

// --- tests ---
int main() {
    assert((closest({1.0, 2.0, 2.2, 5.0}) == make_pair(2.0, 2.2)));
    assert((closest({5.0, 1.0}) == make_pair(1.0, 5.0)));
    assert((closest({3.0, 9.0, 3.0}) == make_pair(3.0, 3.0)));
    assert((closest({-1.5, 4.0, -1.0, 8.0}) == make_pair(-1.5, -1.0)));
    assert((closest({10.0, 0.0, 6.0, 4.5}) == make_pair(4.5, 6.0)));
}
