//! How many connections each source has.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Counts open connections by the address they come from. Clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One open connection; gives its place back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    source: IpAddr,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

// === impl Sources ===

impl Sources {
    /// At most `most` connections a source.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            open: Arc::default(),
        }
    }

    /// A place for one more connection of `source`; none if it has as many as it may. An IPv4 address in IPv6 clothes
    /// is the same source.
    pub(crate) fn place(&self, source: IpAddr) -> Option<Place> {
        let source = source.to_canonical();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(&source).copied().unwrap_or(0);
        if count >= self.most {
            return None;
        }
        open.insert(source, count + 1);
        drop(open);
        Some(Place {
            source,
            open: self.open.clone(),
        })
    }
}

// === impl Place ===

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.source) {
            Some(count) if *count > 1 => *count -= 1,
            // Sources that have gone take no memory.
            _ => {
                open.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_its_places_and_gives_them_back() {
        let sources = Sources::new(2);
        let (a, b): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let first = sources.place(a);
        let second = sources.place("::ffff:10.0.0.1".parse().unwrap());
        assert!(first.is_some() && second.is_some());
        assert!(sources.place(a).is_none());
        assert!(sources.place(b).is_some());
        drop(first);
        let third = sources.place(a);
        assert!(third.is_some() && sources.place(a).is_none());
        drop((second, third));
        assert!(sources.open.lock().unwrap().is_empty());
    }
}
