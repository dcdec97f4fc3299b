module problem
  implicit none
contains
  ! The two numbers that are closest to each other, in ascending order.
  function closest(numbers) result(pair)
    real(8), intent(in) :: numbers(:)
    real(8) :: pair(2)
    integer :: i, j
    pair = [minval(numbers), maxval(numbers)]
    do i = 1, size(numbers)
      do j = i + 1, size(numbers)
        if (abs(numbers(i) - numbers(j)) < pair(2) - pair(1)) then
          pair = [min(numbers(i), numbers(j)), max(numbers(i), numbers(j))]
        end if
      end do
    end do
  end function closest
end module problem

! --- tests ---
program test
  use problem
  implicit none
  if (any(closest([1.0d0, 2.0d0, 2.2d0, 5.0d0]) /= [2.0d0, 2.2d0])) error stop 'Assertion failed'
  if (any(closest([5.0d0, 1.0d0]) /= [1.0d0, 5.0d0])) error stop 'Assertion failed'
  if (any(closest([3.0d0, 9.0d0, 3.0d0]) /= [3.0d0, 3.0d0])) error stop 'Assertion failed'
  if (any(closest([-1.5d0, 4.0d0, -1.0d0, 8.0d0]) /= [-1.5d0, -1.0d0])) error stop 'Assertion failed'
  if (any(closest([10.0d0, 0.0d0, 6.0d0, 4.5d0]) /= [4.5d0, 6.0d0])) error stop 'Assertion failed'
end program test
