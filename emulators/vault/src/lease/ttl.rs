//! How long a token or a lease may live on.

use jiff::{SignedDuration, Timestamp};

use crate::duration;

/// What goes into the decision. Zero stands for "not given".
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ask {
    /// What the client wants, counted from now.
    pub(crate) increment: SignedDuration,
    /// What the engine or role gives, if the client wants nothing particular.
    pub(crate) own: SignedDuration,
    /// The role's limit since the issue.
    pub(crate) own_max: SignedDuration,
    /// A limit that also holds for what is renewed periodically.
    pub(crate) explicit_max: SignedDuration,
    /// The life of what is renewed periodically, which no other limit ends.
    pub(crate) period: SignedDuration,
    /// The mount's default and limit.
    pub(crate) mount: (SignedDuration, SignedDuration),
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) ttl: SignedDuration,
    pub(crate) warning: Option<String>,
}

/// The life from `now` on of what was issued at `issued`; none if its limit has passed.
pub(crate) fn grant(ask: Ask, issued: Timestamp, now: Timestamp) -> Option<Granted> {
    let given = |d: SignedDuration| (d > SignedDuration::ZERO).then_some(d);
    let whole = |at: Timestamp| at.as_second();
    let (default, limit) = ask.mount;
    let mut max = limit;
    for own in [ask.own_max, ask.explicit_max].into_iter().filter_map(given) {
        max = max.min(own);
    }
    let (ttl, max) = match given(ask.period) {
        Some(period) => (period.min(limit), given(ask.explicit_max)),
        None => (given(ask.increment).or(given(ask.own)).unwrap_or(default), Some(max)),
    };
    let Some(max) = max else {
        return Some(Granted { ttl, warning: None });
    };
    let left = SignedDuration::from_secs(whole(issued) + max.as_secs() - whole(now));
    if left <= SignedDuration::ZERO {
        return None;
    }
    if ttl <= left {
        return Some(Granted { ttl, warning: None });
    }
    let warning = format!(
        "TTL of {:?} exceeded the effective max_ttl of {:?}; TTL value is capped accordingly",
        duration::short(ttl),
        duration::short(left)
    );
    Some(Granted {
        ttl: left,
        warning: Some(warning),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const MOUNT: (i64, i64) = (2_764_800, 2_764_800);

    #[rstest]
    // wanted, own, own max, period, age → life, cut
    #[case(0, 0, 0, 0, 0, Some(2_764_800), false)]
    #[case(0, 120, 300, 0, 0, Some(120), false)]
    #[case(600, 120, 300, 0, 0, Some(300), true)]
    #[case(600, 120, 300, 0, 100, Some(200), true)]
    #[case(60, 120, 300, 0, 100, Some(60), false)]
    #[case(0, 120, 300, 0, 300, None, false)]
    #[case(5, 120, 300, 60, 1_000, Some(60), false)]
    fn the_limit_counts_from_the_issue(
        #[case] wanted: i64,
        #[case] own: i64,
        #[case] own_max: i64,
        #[case] period: i64,
        #[case] age: i64,
        #[case] life: Option<i64>,
        #[case] cut: bool,
    ) {
        let s = SignedDuration::from_secs;
        let ask = Ask {
            increment: s(wanted),
            own: s(own),
            own_max: s(own_max),
            period: s(period),
            mount: (s(MOUNT.0), s(MOUNT.1)),
            ..Ask::default()
        };
        let issued = Timestamp::UNIX_EPOCH;
        let granted = grant(ask, issued, issued + s(age));
        assert_eq!(granted.as_ref().map(|g| g.ttl.as_secs()), life);
        assert_eq!(granted.is_some_and(|g| g.warning.is_some()), cut);
    }
}
