//! Whether the machine stood still while something was asked, as a virtual machine does whose host gives it no time.

use std::{pin::pin, time::Duration};

use rolecall_clock::{monotonic, since};

/// How often it is looked whether time goes on.
const TICK: Duration = Duration::from_millis(50);

/// What is shorter is a busy machine. A client of the metadata service gives up after one second (the AWS
/// SDKs' read timeout).
const STANDSTILL: Duration = Duration::from_millis(500);

/// What a future came to, and for how long nothing ran meanwhile: `None` if time went on as it should.
pub(super) async fn watched<T>(future: impl Future<Output = T>) -> (T, Option<Duration>) {
    let mut future = pin!(future);
    let mut longest = Duration::ZERO;
    loop {
        let before = monotonic();
        let ended = tokio::select! {
            value = &mut future => Some(value),
            () = tokio::time::sleep(TICK) => None,
        };
        longest = longest.max(since(before).saturating_sub(TICK));
        if let Some(value) = ended {
            return (value, (longest >= STANDSTILL).then_some(longest));
        }
    }
}

/// Lets nothing else run for as long as it takes to be noticed.
#[cfg(test)]
pub(super) fn stand_still() {
    let start = monotonic();
    while since(start) < STANDSTILL + 2 * TICK {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_takes_long_is_no_standstill() {
        let start = monotonic();
        // The machine that runs this may stand still itself.
        while watched(tokio::time::sleep(STANDSTILL + 2 * TICK)).await.1.is_some() {
            assert!(since(start) < 20 * STANDSTILL, "every wait is taken for a standstill");
        }
    }

    #[tokio::test]
    async fn a_standstill_is_told_with_its_length() {
        let ((), stood) = watched(async {
            tokio::task::yield_now().await;
            stand_still();
            tokio::task::yield_now().await;
        })
        .await;
        assert!(stood.is_some_and(|stood| stood >= STANDSTILL), "{stood:?}");
    }
}
