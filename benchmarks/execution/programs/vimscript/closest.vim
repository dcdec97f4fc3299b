" The two numbers that are closest to each other, in ascending order.
function! Closest(numbers) abort
    let ordered = sort(copy(a:numbers), 'f')
    let best = 0
    for i in range(1, len(ordered) - 2)
        if ordered[i + 1] - ordered[i] < ordered[best + 1] - ordered[best]
            let best = i
        endif
    endfor
    return ordered[best : best + 1]
endfunction

" --- tests ---
function! TestClosest() abort
    if assert_equal([2.0, 2.2], Closest([1.0, 2.0, 2.2, 5.0])) | cq | endif
    if assert_equal([1.0, 5.0], Closest([5.0, 1.0])) | cq | endif
    if assert_equal([3.0, 3.0], Closest([3.0, 9.0, 3.0])) | cq | endif
    if assert_equal([-1.5, -1.0], Closest([-1.5, 4.0, -1.0, 8.0])) | cq | endif
    if assert_equal([4.5, 6.0], Closest([10.0, 0.0, 6.0, 4.5])) | cq | endif
endfunction

call TestClosest()
