"""At which steps something is looked at."""

import pytest

from epochscope.schedule import Schedule


def test_the_first_step_and_every_nth():
    schedule = Schedule(50)
    assert [s for s in range(1, 201) if schedule.due(s, 0.0)] == [1, 50, 100, 150, 200]
    resumed = Schedule(50, step=70)
    assert [s for s in range(71, 201) if resumed.due(s, 0.0)] == [71, 100, 150, 200]


def test_samples_are_left_out_where_they_would_cost_too_much():
    schedule = Schedule(10, budget=0.02)
    schedule.took(5.0, now=0.0)  # setting up is not counted
    assert schedule.due(10, 0.1)
    schedule.took(0.01, now=0.1)
    assert not schedule.due(20, 0.2) and not schedule.due(30, 0.4)
    assert schedule.due(40, 0.6) and schedule.skipped == 2


def test_rare_things_come_at_the_next_sample():
    schedule = Schedule(50)
    asked = [1, 50, 100, 550, 600, 1000, 1050]
    assert [s for s in asked if schedule.rare("detail", s, 500)] == [1, 550, 1000]
    assert not any(schedule.rare("probe", s, 0) for s in asked)


@pytest.mark.parametrize("every, budget", [(0, None), (10, 0.0), (10, 2.0)])
def test_wrong_intervals(every, budget):
    with pytest.raises(ValueError):
        Schedule(every, budget)
