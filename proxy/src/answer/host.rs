//! Against DNS rebinding: a page in a pod's browser that makes its own name point to the metadata address sends that
//! name as `Host`; clients of the metadata service send its address.

use std::net::Ipv6Addr;

use http::{HeaderMap, Uri, header::HOST};

/// Whether a request is meant for the metadata service: its target's authority and its `Host`, as far as it has them,
/// are addresses, or the names that EC2 gives the service.
pub(super) fn is_ours(target: &Uri, headers: &HeaderMap) -> bool {
    let authority = target.authority().map(|authority| authority.as_str());
    let hosts = headers.get_all(HOST).iter().map(|host| host.to_str().ok());
    authority
        .into_iter()
        .map(Some)
        .chain(hosts)
        .all(|host| host.is_some_and(is_address))
}

fn is_address(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner
            .split_once(']')
            .is_some_and(|(ip, port)| ip.parse::<Ipv6Addr>().is_ok() && is_port(port));
    }
    let (name, port) = host.find(':').map_or((host, ""), |at| host.split_at(at));
    let named = ["instance-data", "instance-data.ec2.internal", "localhost"];
    is_port(port)
        && (name.parse::<std::net::Ipv4Addr>().is_ok() || named.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

fn is_port(port: &str) -> bool {
    port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("169.254.169.254", true)]
    #[case("169.254.169.254:80", true)]
    #[case("10.0.0.1:8181", true)]
    #[case("[fd00:ec2::254]", true)]
    #[case("[fd00:ec2::254]:80", true)]
    #[case("instance-data.ec2.internal", true)]
    #[case("evil.example", false)]
    #[case("169.254.169.254.evil.example", false)]
    #[case("evil.example:80", false)]
    #[case("169.254.169.254:x", false)]
    #[case("", false)]
    fn a_name_that_is_not_the_services_is_foreign(#[case] host: &str, #[case] ours: bool) {
        let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
        assert_eq!(is_ours(&Uri::from_static("/latest/meta-data/"), &headers), ours);
    }

    #[test]
    fn a_target_in_absolute_form_is_looked_at_too() {
        let headers = HeaderMap::from_iter([(HOST, "169.254.169.254".parse().unwrap())]);
        assert!(!is_ours(&Uri::from_static("http://evil.example/latest/"), &headers));
        assert!(is_ours(&Uri::from_static("http://169.254.169.254/latest/"), &headers));
        assert!(is_ours(&Uri::from_static("/latest/"), &HeaderMap::new()));
    }
}
