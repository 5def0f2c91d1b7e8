use std::{fmt, str::FromStr};

/// What an image is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contents {
    /// The metadata proxy.
    Proxy,
    /// The front, the metadata service, the probe: the whole program.
    Tools,
}

// === impl Contents ===

impl Contents {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Proxy, Self::Tools];

    /// The repository in the image's name.
    pub(crate) fn repository(self) -> &'static str {
        match self {
            Self::Proxy => "rolecall-proxy",
            Self::Tools => "rolecall-tools",
        }
    }

    /// The program, which is also the crate's name: the image starts it, and it lies in the image's root.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Proxy => "rolecall-proxy",
            Self::Tools => "rolecall",
        }
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proxy => "proxy",
            Self::Tools => "tools",
        })
    }
}

impl FromStr for Contents {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "proxy" => Ok(Self::Proxy),
            "tools" => Ok(Self::Tools),
            _ => Err("there are the images `proxy` and `tools`".to_owned()),
        }
    }
}
