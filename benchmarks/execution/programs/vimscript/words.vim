" How often each word occurs, ignoring case and punctuation.
function! Words(text) abort
    let counts = {}
    for word in split(tolower(a:text), '[^a-z]\+')
        let counts[word] = get(counts, word, 0) + 1
    endfor
    return counts
endfunction

" --- tests ---
function! TestWords() abort
    if assert_equal({'to': 2, 'be': 2, 'or': 1, 'not': 1}, Words('To be, or not to be.')) | cq | endif
    if assert_equal({}, Words('')) | cq | endif
    if assert_equal({}, Words('...!')) | cq | endif
    if assert_equal({'one': 1}, Words('one')) | cq | endif
    if assert_equal({'a': 3, 'b': 1}, Words('A a! a? B')) | cq | endif
endfunction

call TestWords()
