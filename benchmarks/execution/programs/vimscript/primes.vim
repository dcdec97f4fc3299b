" The prime factors of n > 1 in ascending order, each as often as it divides n.
function! Primes(n) abort
    let factors = []
    let rest = a:n
    let divisor = 2
    while divisor * divisor <= rest
        while rest % divisor == 0
            call add(factors, divisor)
            let rest = rest / divisor
        endwhile
        let divisor += 1
    endwhile
    if rest > 1
        call add(factors, rest)
    endif
    return factors
endfunction

" --- tests ---
function! TestPrimes() abort
    if assert_equal([2, 2, 3, 5], Primes(60)) | cq | endif
    if assert_equal([2], Primes(2)) | cq | endif
    if assert_equal([97], Primes(97)) | cq | endif
    if assert_equal(repeat([2], 10), Primes(1024)) | cq | endif
    if assert_equal([7, 999983], Primes(999983 * 7)) | cq | endif
endfunction

call TestPrimes()
