//! The planner: wanted, wanted depth of rest and observed in, one step out. No clock, no I/O.

use tokio::time::Instant;

use super::idle::Depth;
use super::state::{Goal, State};

/// The one thing to do next for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Launch it and wait until its gateway answers.
    Launch,
    /// Stop its processes where they are.
    Freeze,
    /// Let its processes go on.
    Thaw,
    /// Ask it to end, kill what stays, and remove every trace but the files.
    Stop,
    /// Remove what is left of it; nobody needs to be asked.
    TakeDown,
    /// Pack its files into an archive.
    Archive,
    /// Unpack its files.
    Restore,
    /// Remove it with its files.
    Destroy,
    /// Do nothing before that moment.
    WaitUntil(Instant),
    /// Everything is as wanted.
    Rest,
}

/// The next step from `state` towards `goal`, resting as deeply as `depth` says. Executed steps bring the state closer;
/// when they match, it is [`Step::Rest`]. A `Broken` container waits for its moment; whoever executes the plan turns it
/// into `Remains` then.
pub(super) fn plan(goal: Goal, depth: Depth, state: &State) -> Step {
    match (goal, state) {
        (_, State::Gone) => Step::Rest,
        (_, State::Remains) => Step::TakeDown,
        (Goal::Running, State::Absent) if depth == Depth::Awake => Step::Launch,
        (Goal::Running | Goal::Stopped, State::Absent) if depth == Depth::Archived => Step::Archive,
        (Goal::Running, State::Absent) => Step::Rest,
        (Goal::Running, State::Archived) if depth == Depth::Awake => Step::Restore,
        (Goal::Running | Goal::Stopped, State::Archived) => Step::Rest,
        (Goal::Running, State::Running { .. }) => match depth {
            Depth::Awake => Step::Rest,
            Depth::Frozen => Step::Freeze,
            Depth::Asleep | Depth::Archived => Step::Stop,
        },
        (Goal::Running, State::Frozen { .. }) => match depth {
            Depth::Awake => Step::Thaw,
            Depth::Frozen => Step::Rest,
            Depth::Asleep | Depth::Archived => Step::Stop,
        },
        (Goal::Running, State::Broken { retry_at, .. }) if depth == Depth::Awake => Step::WaitUntil(*retry_at),
        (Goal::Running | Goal::Stopped, State::Broken { .. }) => Step::TakeDown,
        (Goal::Stopped, State::Absent) => Step::Rest,
        (Goal::Stopped | Goal::Destroyed, State::Running { .. } | State::Frozen { .. }) => Step::Stop,
        (Goal::Destroyed, State::Absent | State::Archived | State::Broken { .. }) => Step::Destroy,
    }
}

#[cfg(test)]
mod tests {
    use matrixos_runtime::protocol::Identity;
    use proptest::prelude::*;

    use super::*;

    fn identity() -> Identity {
        Identity { pid: 7, started: 1, boot: "b".to_owned() }
    }

    fn running() -> State {
        State::Running { identity: identity() }
    }

    fn frozen() -> State {
        State::Frozen { identity: identity() }
    }

    /// A perfect executor: what each step leads to when nothing fails.
    fn execute(step: Step) -> Option<State> {
        match step {
            Step::Launch | Step::Thaw => Some(running()),
            Step::Freeze => Some(frozen()),
            Step::Stop | Step::TakeDown | Step::Restore => Some(State::Absent),
            Step::Archive => Some(State::Archived),
            Step::Destroy => Some(State::Gone),
            Step::WaitUntil(_) => Some(State::Remains),
            Step::Rest => None,
        }
    }

    fn any_state() -> impl Strategy<Value = State> {
        prop_oneof![
            Just(State::Absent),
            Just(State::Archived),
            Just(State::Remains),
            Just(State::Gone),
            Just(running()),
            Just(frozen()),
            (0u32..99).prop_map(|failures| State::Broken { failures, retry_at: Instant::now() }),
        ]
    }

    fn any_goal() -> impl Strategy<Value = Goal> {
        prop_oneof![Just(Goal::Running), Just(Goal::Stopped), Just(Goal::Destroyed)]
    }

    fn any_depth() -> impl Strategy<Value = Depth> {
        prop_oneof![Just(Depth::Awake), Just(Depth::Frozen), Just(Depth::Asleep), Just(Depth::Archived)]
    }

    fn is_as_wanted(goal: Goal, depth: Depth, state: &State) -> bool {
        match (goal, depth) {
            (Goal::Running, Depth::Awake) => matches!(state, State::Running { .. }),
            // Nobody is started only to be frozen, or unpacked only to be asleep.
            (Goal::Running, Depth::Frozen) => {
                matches!(state, State::Frozen { .. } | State::Absent | State::Archived)
            }
            (Goal::Running | Goal::Stopped, Depth::Archived) => *state == State::Archived,
            (Goal::Running, Depth::Asleep) | (Goal::Stopped, _) => matches!(state, State::Absent | State::Archived),
            (Goal::Destroyed, _) => *state == State::Gone,
        }
    }

    proptest! {
        #[test]
        fn from_any_state_the_plan_reaches_the_goal_and_then_is_empty(start in any_state(), goal in any_goal(), depth in any_depth()) {
            let gone = start == State::Gone;
            let mut state = start;
            for _ in 0..5 {
                match execute(plan(goal, depth, &state)) {
                    Some(next) => state = next,
                    None => break,
                }
            }
            prop_assert_eq!(plan(goal, depth, &state), Step::Rest);
            prop_assert!(is_as_wanted(goal, depth, &state) || gone, "{:?} {:?} ended as {:?}", goal, depth, state);
        }

        #[test]
        fn any_history_of_wishes_converges(history in prop::collection::vec((any_goal(), any_depth(), 0usize..4), 1..20)) {
            let mut state = State::Absent;
            for (goal, depth, steps) in history {
                // Wishes change before the plan is through.
                for _ in 0..steps {
                    if let Some(next) = execute(plan(goal, depth, &state)) { state = next }
                }
                let mut end = state.clone();
                while let Some(next) = execute(plan(goal, depth, &end)) { end = next }
                prop_assert!(is_as_wanted(goal, depth, &end) || end == State::Gone);
            }
        }

        #[test]
        fn only_a_destroyed_goal_ever_deletes_files(state in any_state(), goal in any_goal(), depth in any_depth()) {
            if goal != Goal::Destroyed {
                prop_assert_ne!(plan(goal, depth, &state), Step::Destroy);
            }
        }

        #[test]
        fn only_what_does_not_run_is_packed_and_only_what_is_needed_is_unpacked(state in any_state(), goal in any_goal(), depth in any_depth()) {
            match plan(goal, depth, &state) {
                Step::Archive => prop_assert!(state == State::Absent && depth == Depth::Archived && goal != Goal::Destroyed),
                Step::Restore => prop_assert!(state == State::Archived && depth == Depth::Awake && goal == Goal::Running),
                Step::Launch => prop_assert_ne!(state, State::Archived),
                _ => {}
            }
        }

        #[test]
        fn what_runs_or_is_frozen_is_never_launched_again(goal in any_goal(), depth in any_depth()) {
            prop_assert_ne!(plan(goal, depth, &running()), Step::Launch);
            prop_assert_ne!(plan(goal, depth, &frozen()), Step::Launch);
        }

        #[test]
        fn nothing_is_launched_that_nobody_needs(state in any_state(), goal in any_goal(), depth in any_depth()) {
            if plan(goal, depth, &state) == Step::Launch {
                prop_assert!(goal == Goal::Running && depth == Depth::Awake);
            }
        }
    }
}
