module problem
  implicit none
  type :: entry
    character(len=32) :: word
    integer :: count
  end type entry
contains
  ! How often each word occurs, ignoring case and punctuation, in the order of their first occurrence.
  function words(text) result(counts)
    character(len=*), intent(in) :: text
    type(entry), allocatable :: counts(:)
    character(len=32) :: word
    character :: c
    integer :: i, j
    allocate (counts(0))
    word = ''
    do i = 1, len(text) + 1
      c = '.'
      if (i <= len(text)) c = text(i:i)
      if (c >= 'A' .and. c <= 'Z') c = achar(iachar(c) + 32)
      if (c >= 'a' .and. c <= 'z') then
        word = trim(word) // c
      else if (word /= '') then
        do j = 1, size(counts)
          if (counts(j)%word == word) exit
        end do
        if (j > size(counts)) counts = [counts, entry(word, 0)]
        counts(j)%count = counts(j)%count + 1
        word = ''
      end if
    end do
  end function words
end module problem

! --- tests ---
program test
  use problem
  implicit none
  call check('To be, or not to be.', [entry('to', 2), entry('be', 2), entry('or', 1), entry('not', 1)])
  call check('', [entry ::])
  call check('...!', [entry ::])
  call check('one', [entry('one', 1)])
  call check('A a! a? B', [entry('a', 3), entry('b', 1)])
contains
  subroutine check(text, wanted)
    character(len=*), intent(in) :: text
    type(entry), intent(in) :: wanted(:)
    type(entry), allocatable :: counts(:)
    counts = words(text)
    if (size(counts) /= size(wanted)) error stop 'Assertion failed'
    if (any(counts%word /= wanted%word)) error stop 'Assertion failed'
    if (any(counts%count /= wanted%count)) error stop 'Assertion failed'
  end subroutine check
end program test
