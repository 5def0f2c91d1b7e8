use std::{fmt, fs};

/// A setting of the system that forbids namespaces to this process, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The setting, as `sysctl` spells it where it is one.
    pub setting: String,
    /// Its value.
    pub value: String,
    /// What to do.
    pub remedy: String,
}

/// A sysctl that can forbid namespaces.
struct Sysctl {
    name: &'static str,
    /// The value that forbids them.
    forbids: &'static str,
    /// A value that does not.
    allows: &'static str,
    /// Whether root is spared.
    spares_root: bool,
    /// A further way out, if there is one.
    otherwise: &'static str,
}

/// Debian's switch, the limits of namespaces(7), and Ubuntu's AppArmor switch (on by default since 23.10).
const SYSCTLS: [Sysctl; 6] = [
    Sysctl {
        name: "kernel.unprivileged_userns_clone",
        forbids: "0",
        allows: "1",
        spares_root: true,
        otherwise: "",
    },
    Sysctl {
        name: "kernel.apparmor_restrict_unprivileged_userns",
        forbids: "1",
        allows: "0",
        spares_root: true,
        otherwise: " or load an AppArmor profile for this program that has the rule `userns,`;",
    },
    Sysctl::limit("user.max_user_namespaces"),
    Sysctl::limit("user.max_pid_namespaces"),
    Sysctl::limit("user.max_net_namespaces"),
    Sysctl::limit("user.max_mnt_namespaces"),
];

/// The settings of this system that forbid this process what the crate does. An empty list does not promise that
/// nothing does: [`enter_user_namespace`](crate::enter_user_namespace) tries it.
pub fn obstacles() -> Vec<Obstacle> {
    obstacles_in(|path| fs::read_to_string(path).ok(), nix::unistd::geteuid().is_root())
}

fn obstacles_in(read: impl Fn(&str) -> Option<String>, root: bool) -> Vec<Obstacle> {
    let mut found: Vec<_> = SYSCTLS
        .iter()
        .filter(|sysctl| !(root && sysctl.spares_root))
        .filter(|sysctl| read(&sysctl.path()).is_some_and(|value| value.trim() == sysctl.forbids))
        .map(Sysctl::obstacle)
        .collect();
    let status = read("/proc/self/status").unwrap_or_default();
    if status.lines().any(|line| line.split_whitespace().eq(["Seccomp:", "2"])) {
        found.push(Obstacle {
            setting: "a seccomp filter".to_owned(),
            value: "on".to_owned(),
            remedy: "container runtimes forbid namespaces with it: run the container with \
                     `--security-opt seccomp=unconfined` or `--privileged`, or run outside of it"
                .to_owned(),
        });
    }
    found
}

// === impl Sysctl ===

impl Sysctl {
    const fn limit(name: &'static str) -> Self {
        Self {
            name,
            forbids: "0",
            allows: "15000",
            spares_root: false,
            otherwise: "",
        }
    }

    fn path(&self) -> String {
        format!("/proc/sys/{}", self.name.replace('.', "/"))
    }

    fn obstacle(&self) -> Obstacle {
        let Self {
            name,
            allows,
            otherwise,
            ..
        } = self;
        let root = if self.spares_root {
            " running as root works too"
        } else {
            ""
        };
        let remedy = format!("run `sudo sysctl -w {name}={allows}`;{otherwise}{root}");
        Obstacle {
            setting: (*name).to_owned(),
            value: self.forbids.to_owned(),
            remedy: remedy.trim_end_matches(';').to_owned(),
        }
    }
}

// === impl Obstacle ===

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}: {}", self.setting, self.value, self.remedy)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0\n",
        false,
        Some("running as root works too")
    )]
    #[case("/proc/sys/kernel/unprivileged_userns_clone", "1\n", false, None)]
    #[case("/proc/sys/kernel/unprivileged_userns_clone", "0\n", true, None)]
    #[case(
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1\n",
        false,
        Some("AppArmor profile")
    )]
    #[case(
        "/proc/sys/user/max_user_namespaces",
        "0\n",
        true,
        Some("sysctl -w user.max_user_namespaces=15000")
    )]
    #[case("/proc/sys/user/max_net_namespaces", "9000\n", true, None)]
    #[case(
        "/proc/self/status",
        "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n",
        true,
        Some("seccomp=unconfined")
    )]
    #[case("/proc/self/status", "Name:\tx\nSeccomp:\t0\n", true, None)]
    fn a_setting_that_forbids_namespaces_is_named_with_a_way_out(
        #[case] path: &str,
        #[case] value: &str,
        #[case] root: bool,
        #[case] told: Option<&str>,
    ) {
        let found = obstacles_in(|asked| (asked == path).then(|| value.to_owned()), root);
        match told {
            None => assert_eq!(found, []),
            Some(told) => {
                assert_eq!(found.len(), 1, "{found:?}");
                assert!(found[0].to_string().contains(told), "{}", found[0]);
            }
        }
    }
}
