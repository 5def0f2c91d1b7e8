use std::time::SystemTime;

use aws_smithy_async::time::TimeSource;

use crate::Clock;

/// The world's time for an AWS SDK client, which signs with it.
#[derive(Clone, Debug)]
pub struct SdkTime(pub Clock);

impl TimeSource for SdkTime {
    fn now(&self) -> SystemTime {
        self.0.wall().into()
    }
}
