//! `within` and `throughout` that say nothing.

use std::time::Duration;

use super::Warning;
use crate::model::Step;

/// No world asks more often than this: what must hold for a shorter time is looked at once.
const BETWEEN_ASKS: Duration = Duration::from_millis(40);

pub(super) fn check(step: &Step, warnings: &mut Vec<Warning>) {
    let Some(throughout) = step
        .throughout
        .as_ref()
        .filter(|throughout| !throughout.value.is_zero())
    else {
        return;
    };
    let holds = step
        .expect
        .as_ref()
        .is_some_and(|expect| expect.all.iter().any(|word| word.must_hold()));
    if !holds {
        let text = "`throughout` has nothing to watch: no word of this step must stay right";
        let help =
            "`refused`, `denied`, `error`, `never`, `count`, `at_most`, `same_key_as` and the words with `no` do";
        warnings.push(Warning::new(throughout.span.clone(), text).help(help));
    } else if throughout.value < BETWEEN_ASKS {
        let text = "`throughout` is over before the step asks again";
        let help = "write a time in which it is asked more than once, such as `300ms`, or leave it out";
        warnings.push(Warning::new(throughout.span.clone(), text).help(help));
    }
}
