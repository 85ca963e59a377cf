//! The planner: wanted and observed in, one step out. No clock, no I/O.

use tokio::time::Instant;

use super::state::{Goal, State};

/// The one thing to do next for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Launch it and wait until its gateway answers.
    Launch,
    /// Ask it to end, kill what stays, and remove every trace but the files.
    Stop,
    /// Remove what is left of it; nobody needs to be asked.
    TakeDown,
    /// Remove it with its files.
    Destroy,
    /// Do nothing before that moment.
    WaitUntil(Instant),
    /// Everything is as wanted.
    Rest,
}

/// The next step from `state` towards `goal`. Executed steps bring the state closer; when they match, it is
/// [`Step::Rest`]. A `Broken` container waits for its moment; whoever executes the plan turns it into `Remains` then.
pub(super) fn plan(goal: Goal, state: &State) -> Step {
    match (goal, state) {
        (_, State::Gone) => Step::Rest,
        (_, State::Remains) => Step::TakeDown,
        (Goal::Running, State::Absent) => Step::Launch,
        (Goal::Running, State::Running { .. }) => Step::Rest,
        (Goal::Running, State::Broken { retry_at, .. }) => Step::WaitUntil(*retry_at),
        (Goal::Stopped, State::Absent) => Step::Rest,
        (Goal::Stopped | Goal::Destroyed, State::Running { .. }) => Step::Stop,
        (Goal::Stopped, State::Broken { .. }) => Step::TakeDown,
        (Goal::Destroyed, State::Absent | State::Broken { .. }) => Step::Destroy,
    }
}

#[cfg(test)]
mod tests {
    use matrixos_runtime::protocol::Identity;
    use proptest::prelude::*;

    use super::*;

    fn running() -> State {
        State::Running { identity: Identity { pid: 7, started: 1, boot: "b".to_owned() } }
    }

    /// A perfect executor: what each step leads to when nothing fails.
    fn execute(step: Step) -> Option<State> {
        match step {
            Step::Launch => Some(running()),
            Step::Stop | Step::TakeDown => Some(State::Absent),
            Step::Destroy => Some(State::Gone),
            Step::WaitUntil(_) => Some(State::Remains),
            Step::Rest => None,
        }
    }

    fn any_state() -> impl Strategy<Value = State> {
        prop_oneof![
            Just(State::Absent),
            Just(State::Remains),
            Just(State::Gone),
            Just(running()),
            (0u32..99).prop_map(|failures| State::Broken { failures, retry_at: Instant::now() }),
        ]
    }

    fn any_goal() -> impl Strategy<Value = Goal> {
        prop_oneof![Just(Goal::Running), Just(Goal::Stopped), Just(Goal::Destroyed)]
    }

    proptest! {
        #[test]
        fn from_any_state_the_plan_reaches_the_goal_and_then_is_empty(start in any_state(), goal in any_goal()) {
            let gone = start == State::Gone;
            let mut state = start;
            for _ in 0..4 {
                match execute(plan(goal, &state)) {
                    Some(next) => state = next,
                    None => break,
                }
            }
            prop_assert_eq!(plan(goal, &state), Step::Rest);
            let reached = match goal {
                Goal::Running => matches!(state, State::Running { .. }),
                Goal::Stopped => state == State::Absent,
                Goal::Destroyed => state == State::Gone,
            };
            prop_assert!(reached || gone, "{:?} ended as {:?}", goal, state);
        }

        #[test]
        fn only_a_destroyed_goal_ever_deletes_files(state in any_state(), goal in any_goal()) {
            if goal != Goal::Destroyed {
                prop_assert_ne!(plan(goal, &state), Step::Destroy);
            }
        }

        #[test]
        fn a_running_container_is_never_launched_again(goal in any_goal()) {
            prop_assert_ne!(plan(goal, &running()), Step::Launch);
        }
    }
}
