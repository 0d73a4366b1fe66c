"""The figures of a run, from calls whose times are known."""

from aios.bench.records import Call, Ending, Errand, Run, Span, quantile, row_of


def call(agent: str, submitted: float, answered: float | None, tokens: int = 10) -> Call:
    return Call(agent=agent, submitted=submitted, answered=answered, tokens=tokens)


def span(ending: Ending) -> Span:
    return Span(lane=0, agent="a-1", start=0.0, end=1.0, ending=ending)


def run(*calls: Call, ended: float = 10.0) -> Run:
    return Run(
        policy="fifo",
        started=0.0,
        ended=ended,
        calls=calls,
        errands=(
            Errand(agent="a-1", kind="calc", right=True, messages=()),
            Errand(agent="a-1", kind="calc", right=False, messages=()),
        ),
        tasks=3,
        spans=(span(Ending.SWITCHED), span(Ending.DONE), span(Ending.SWITCHED)),
        alarms=(1.0, 2.0),
        short=frozenset({"a-1"}),
    )


def test_speed_counts_answered_calls_over_the_whole_time() -> None:
    row = row_of(run(call("a-1", 0, 1), call("a-1", 1, 2), call("b-1", 0, None)), "exact")
    assert (row.llm_calls, row.llm_calls_per_s, row.tokens_per_s) == (2, 0.2, 2.0)


def test_a_call_without_an_answer_waited_to_the_end_at_the_least() -> None:
    row = row_of(run(call("a-1", 0, 1), call("b-1", 4, None)), "exact")
    assert row.wait_mean_s == 3.5
    assert row.wait_p90_s == 6.0


def test_short_agents_have_a_wait_of_their_own() -> None:
    row = row_of(run(call("a-1", 0, 1), call("b-1", 0, 9)), "exact")
    assert row.short_wait_p90_s == 1.0


def test_tasks_switches_and_failures_are_counted() -> None:
    row = row_of(run(call("a-1", 0, 1)), "fast")
    assert (row.tasks_ok, row.tasks_done, row.tasks) == (1, 2, 3)
    assert (row.switches, row.oom_retries, row.mode) == (2, 2, "fast")


def test_a_quantile_is_a_value_that_occurred() -> None:
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert quantile(range(1, 11), 0.9) == 9
    assert quantile([], 0.9) == 0.0


def test_a_run_without_calls_has_figures_too() -> None:
    assert row_of(run(), "exact").wait_p90_s == 0.0
