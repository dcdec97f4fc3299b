module problem
  implicit none
contains
  ! The prime factors of n > 1 in ascending order, each as often as it divides n.
  function primes(n) result(factors)
    integer, intent(in) :: n
    integer, allocatable :: factors(:)
    integer :: divisor, rest
    allocate (factors(0))
    rest = n
    divisor = 2
    do while (divisor * divisor <= rest)
      do while (mod(rest, divisor) == 0)
        factors = [factors, divisor]
        rest = rest / divisor
      end do
      divisor = divisor + 1
    end do
    if (rest > 1) factors = [factors, rest]
  end function primes
end module problem

! --- tests ---
program test
  use problem
  implicit none
  call check(60, [2, 2, 3, 5])
  call check(2, [2])
  call check(97, [97])
  call check(1024, [2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
  call check(999983 * 7, [7, 999983])
contains
  subroutine check(n, wanted)
    integer, intent(in) :: n, wanted(:)
    integer, allocatable :: factors(:)
    factors = primes(n)
    if (size(factors) /= size(wanted)) error stop 'Assertion failed'
    if (any(factors /= wanted)) error stop 'Assertion failed'
  end subroutine check
end program test
