use std::net::SocketAddrV4;

use super::{
    attribute::Attributes,
    batch::{Batch, Verb},
};

const TABLE: &str = "rolecall";
const CHAIN: &str = "intercept";

/// `IFNAMSIZ`: an interface's name with the zero that ends it.
const IFNAMSIZ: usize = 16;

/// What is intercepted and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    interface: Interface,
    metadata: SocketAddrV4,
    to: SocketAddrV4,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Interface {
    Named(String),
    Prefix(String),
}

/// No interface can have the name.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` cannot be an interface's name: give 1 to 15 characters without `/` or white space, or a prefix and `+`")]
pub struct InvalidInterface(String);

impl Rule {
    /// What comes in by `interface` (`+` at its end makes it a prefix) for `metadata` goes to `to`. The interface need
    /// not exist yet.
    ///
    /// # Errors
    /// If no interface can have the name.
    pub fn new(interface: &str, metadata: SocketAddrV4, to: SocketAddrV4) -> Result<Self, InvalidInterface> {
        let (name, prefix) = match interface.strip_suffix('+') {
            Some(name) => (name, true),
            None => (interface, false),
        };
        let legal = name.len() < IFNAMSIZ
            && (prefix || !name.is_empty())
            && name.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
        if !legal {
            return Err(InvalidInterface(interface.to_owned()));
        }
        let name = name.to_owned();
        Ok(Self {
            interface: if prefix {
                Interface::Prefix(name)
            } else {
                Interface::Named(name)
            },
            metadata,
            to,
        })
    }

    /// The transaction that makes this the only rule of the table. A table is first made, so that deleting it never
    /// fails for want of one.
    pub(super) fn install(&self) -> Batch {
        let hook = Attributes::new()
            .number(1, 0) // NFTA_HOOK_HOOKNUM: NF_INET_PRE_ROUTING
            .signed(2, -100); // NFTA_HOOK_PRIORITY: NF_IP_PRI_NAT_DST
        let chain = Attributes::new()
            .text(1, TABLE) // NFTA_CHAIN_TABLE
            .text(3, CHAIN) // NFTA_CHAIN_NAME
            .nested(4, &hook) // NFTA_CHAIN_HOOK
            .text(7, "nat"); // NFTA_CHAIN_TYPE
        let rule = Attributes::new()
            .text(1, TABLE) // NFTA_RULE_TABLE
            .text(2, CHAIN) // NFTA_RULE_CHAIN
            .nested(4, &self.expressions()); // NFTA_RULE_EXPRESSIONS
        uninstall()
            .then(Verb::NewTable, &table())
            .then(Verb::NewChain, &chain)
            .then(Verb::NewRule, &rule)
    }

    fn expressions(&self) -> Attributes {
        let name = match &self.interface {
            // A whole name is compared with the zeros that follow it; a prefix without.
            Interface::Named(name) => {
                let mut name = name.as_bytes().to_vec();
                name.resize(IFNAMSIZ, 0);
                name
            }
            Interface::Prefix(name) => name.as_bytes().to_vec(),
        };
        let mut all = Attributes::new();
        if !name.is_empty() {
            all = equal(meta(all, Meta::Iifname), &name);
        }
        all = equal(payload(all, Header::Network, 16, 4), &self.metadata.ip().octets());
        all = equal(meta(all, Meta::L4proto), &[6]);
        all = equal(
            payload(all, Header::Transport, 2, 2),
            &self.metadata.port().to_be_bytes(),
        );
        all = immediate(all, 1, &self.to.ip().octets());
        all = immediate(all, 2, &self.to.port().to_be_bytes());
        let nat = Attributes::new()
            .number(1, 1) // NFTA_NAT_TYPE: NFT_NAT_DNAT
            .number(2, 2) // NFTA_NAT_FAMILY: NFPROTO_IPV4
            .number(3, 1) // NFTA_NAT_REG_ADDR_MIN
            .number(5, 2); // NFTA_NAT_REG_PROTO_MIN
        expression(all, "nat", &nat)
    }
}

/// The transaction that removes the table, whether or not it is there.
pub(super) fn uninstall() -> Batch {
    Batch::new()
        .then(Verb::NewTable, &table())
        .then(Verb::DeleteTable, &table())
}

fn table() -> Attributes {
    Attributes::new().text(1, TABLE) // NFTA_TABLE_NAME
}

// Expressions. The first two registers hold sixteen bytes each.

/// `NFT_META_*`.
#[derive(Clone, Copy)]
enum Meta {
    Iifname = 6,
    L4proto = 16,
}

/// `NFT_PAYLOAD_*_HEADER`.
#[derive(Clone, Copy)]
enum Header {
    Network = 1,
    Transport = 2,
}

/// Loads what is known of the packet.
fn meta(all: Attributes, key: Meta) -> Attributes {
    let meta = Attributes::new()
        .number(1, 1) // NFTA_META_DREG
        .number(2, key as u32); // NFTA_META_KEY
    expression(all, "meta", &meta)
}

/// Loads bytes of a header.
fn payload(all: Attributes, base: Header, offset: u32, length: u32) -> Attributes {
    let payload = Attributes::new()
        .number(1, 1) // NFTA_PAYLOAD_DREG
        .number(2, base as u32) // NFTA_PAYLOAD_BASE
        .number(3, offset) // NFTA_PAYLOAD_OFFSET
        .number(4, length); // NFTA_PAYLOAD_LEN
    expression(all, "payload", &payload)
}

/// Goes on only if what was loaded begins with `value`.
fn equal(all: Attributes, value: &[u8]) -> Attributes {
    let cmp = Attributes::new()
        .number(1, 1) // NFTA_CMP_SREG
        .number(2, 0) // NFTA_CMP_OP: NFT_CMP_EQ
        .nested(3, &data(value)); // NFTA_CMP_DATA
    expression(all, "cmp", &cmp)
}

/// Loads a constant.
fn immediate(all: Attributes, register: u32, value: &[u8]) -> Attributes {
    let immediate = Attributes::new()
        .number(1, register) // NFTA_IMMEDIATE_DREG
        .nested(2, &data(value)); // NFTA_IMMEDIATE_DATA
    expression(all, "immediate", &immediate)
}

fn data(value: &[u8]) -> Attributes {
    Attributes::new().bytes(1, value) // NFTA_DATA_VALUE
}

fn expression(all: Attributes, name: &str, data: &Attributes) -> Attributes {
    let expression = Attributes::new()
        .text(1, name) // NFTA_EXPR_NAME
        .nested(2, data); // NFTA_EXPR_DATA
    all.nested(1, &expression) // NFTA_LIST_ELEM
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn rule(interface: &str) -> Rule {
        Rule::new(
            interface,
            "169.254.169.254:80".parse().unwrap(),
            "10.0.0.1:8181".parse().unwrap(),
        )
        .unwrap()
    }

    /// Encoded by another program, from the kernel's headers: `tests/nftables-golden.py` prints them.
    #[rstest]
    #[case("cbr0", include_str!("../../tests/nftables-cbr0.hex"))]
    #[case("cali+", include_str!("../../tests/nftables-cali.hex"))]
    fn the_transaction_is_encoded_as_the_kernel_reads_it(#[case] interface: &str, #[case] golden: &str) {
        assert_eq!(hex::encode(rule(interface).install().encode()), golden.trim());
    }

    #[rstest]
    #[case("")]
    #[case("a/b")]
    #[case("a b")]
    #[case("a-name-of-16-chr")]
    fn a_name_that_no_interface_can_have_is_refused(#[case] interface: &str) {
        let address = "169.254.169.254:80".parse().unwrap();
        assert!(Rule::new(interface, address, address).is_err());
    }

    #[test]
    fn a_refusal_names_its_message() {
        let batch = rule("cbr0").install();
        assert_eq!(batch.name(0), "the transaction");
        assert_eq!(batch.name(2), "the deletion of the table");
        assert_eq!(batch.name(4), "the new NAT chain");
        assert_eq!(batch.name(5), "the new DNAT rule");
        assert_eq!(batch.name(6), "the transaction");
    }
}
