//! What EC2 tells of instances, their profiles and regions; query protocol of 2016-11-15.

mod association;
mod filter;
mod input;
mod instance;
mod region;

use super::Call;
use crate::answer::{Refusal, Xml};

/// What an operation results in: the elements behind the request id.
type Described = Result<Xml, Refusal>;

/// Performs an operation, or says that there is none of this name. `region` is the one the request was signed for.
pub(crate) fn perform(call: &mut Call<'_>, region: &str, operation: &str) -> Option<Described> {
    Some(match operation {
        "DescribeIamInstanceProfileAssociations" => association::describe(call, region),
        "DescribeInstances" => instance::describe(call, region),
        "DescribeRegions" => region::describe(call),
        _ => return None,
    })
}
