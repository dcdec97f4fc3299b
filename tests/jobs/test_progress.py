"""What a training says about where it begins."""

import pytest

from codeglot.jobs.progress import Silent, steps_shown


class Told(Silent):
    """Keeps what a job says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


@pytest.mark.parametrize(("first", "said"), [(0, []), (3, ["The training goes on from step 3 of 6."])])
def test_a_training_that_goes_on_says_so_once(first: int, said: list[str]) -> None:
    told = Told()
    with steps_shown(told) as show:
        for step in range(first, 7):
            show(step, 6, None)
    assert told.lines == said
