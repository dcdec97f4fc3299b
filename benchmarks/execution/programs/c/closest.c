#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Writes the two numbers that are closest to each other to pair, in ascending order; sorts the numbers.
void closest(double *numbers, int size, double pair[2]) {
    qsort(numbers, size, sizeof *numbers, by_size);
    int best = 0;
    for (int i = 1; i + 1 < size; i++) {
        if (numbers[i + 1] - numbers[i] < numbers[best + 1] - numbers[best]) best = i;
    }
    pair[0] = numbers[best];
    pair[1] = numbers[best + 1];
}

// --- tests ---
static int is_closest(double *numbers, int size, double low, double high) {
    double pair[2];
    closest(numbers, size, pair);
    return pair[0] == low && pair[1] == high;
}

int main() {
    assert(is_closest((double[]){1.0, 2.0, 2.2, 5.0}, 4, 2.0, 2.2));
    assert(is_closest((double[]){5.0, 1.0}, 2, 1.0, 5.0));
    assert(is_closest((double[]){3.0, 9.0, 3.0}, 3, 3.0, 3.0));
    assert(is_closest((double[]){-1.5, 4.0, -1.0, 8.0}, 4, -1.5, -1.0));
    assert(is_closest((double[]){10.0, 0.0, 6.0, 4.5}, 4, 4.5, 6.0));
    return 0;
}
