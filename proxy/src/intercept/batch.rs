//! A transaction of nf_tables: messages between a begin and an end, all of them done or none.

use super::attribute::Attributes;

/// `NFNL_SUBSYS_NFTABLES`, which is also what a batch names as its subject.
const NFTABLES: u16 = 10;
const NFNL_MSG_BATCH_BEGIN: u16 = 16;
const NFNL_MSG_BATCH_END: u16 = 17;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;

/// What a message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    NewTable,
    DeleteTable,
    NewChain,
    NewRule,
}

/// A transaction, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    verbs: Vec<Verb>,
}

impl Batch {
    pub(super) fn new() -> Self {
        let mut batch = Self {
            bytes: Vec::new(),
            verbs: Vec::new(),
        };
        batch.message(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, 0, NFTABLES, &[]);
        batch
    }

    /// Adds a message for the IPv4 family; the kernel is asked to acknowledge it.
    pub(super) fn then(mut self, verb: Verb, attributes: &Attributes) -> Self {
        let flags = NLM_F_REQUEST | NLM_F_ACK | verb.flags();
        let family = u8::try_from(nix::libc::AF_INET).unwrap_or(2);
        self.verbs.push(verb);
        self.message(NFTABLES << 8 | verb.code(), flags, family, 0, attributes.as_bytes());
        self
    }

    /// The whole transaction.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut whole = self.clone();
        whole.verbs.push(Verb::NewTable);
        whole.message(NFNL_MSG_BATCH_END, NLM_F_REQUEST, 0, NFTABLES, &[]);
        whole.bytes
    }

    /// How many acknowledgements are to come.
    pub(super) fn acknowledged(&self) -> usize {
        self.verbs.len()
    }

    /// The message of that sequence number, for a person; the transaction itself for its begin and end.
    pub(super) fn name(&self, sequence: u32) -> &'static str {
        let verb = usize::try_from(sequence)
            .ok()
            .and_then(|at| at.checked_sub(1))
            .and_then(|at| self.verbs.get(at));
        verb.map_or("the transaction", |verb| verb.name())
    }

    fn message(&mut self, kind: u16, flags: u16, family: u8, subject: u16, attributes: &[u8]) {
        // Begin is 0, the messages count from 1.
        let sequence = u32::try_from(self.verbs.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(16 + 4 + attributes.len()).unwrap_or(u32::MAX);
        self.bytes.extend(length.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(sequence.to_ne_bytes());
        self.bytes.extend(0u32.to_ne_bytes());
        self.bytes.extend([family, 0]);
        self.bytes.extend(subject.to_be_bytes());
        self.bytes.extend(attributes);
    }
}

// === impl Verb ===

impl Verb {
    /// `NFT_MSG_*`.
    fn code(self) -> u16 {
        match self {
            Self::NewTable => 0,
            Self::DeleteTable => 2,
            Self::NewChain => 3,
            Self::NewRule => 6,
        }
    }

    /// `NLM_F_CREATE` (0x400) and `NLM_F_APPEND` (0x800).
    fn flags(self) -> u16 {
        match self {
            Self::NewTable | Self::NewChain => 0x400,
            Self::DeleteTable => 0,
            Self::NewRule => 0xc00,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::NewTable => "the new table",
            Self::DeleteTable => "the deletion of the table",
            Self::NewChain => "the new NAT chain",
            Self::NewRule => "the new DNAT rule",
        }
    }
}
