use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

/// The checksums of S3 that can be verified here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha256,
}

// === impl Checksum ===

impl Checksum {
    /// By the name of its header, `x-amz-checksum-…`.
    pub(crate) fn by_header(name: &str) -> Option<Self> {
        match name.strip_prefix("x-amz-checksum-")? {
            "crc32" => Some(Self::Crc32),
            "crc32c" => Some(Self::Crc32c),
            "crc64nvme" => Some(Self::Crc64Nvme),
            "sha256" => Some(Self::Sha256),
            _ => None,
        }
    }

    /// The name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha256 => "SHA256",
        }
    }

    /// The checksum of a body in base64, big-endian, as the header carries it.
    pub(crate) fn of(self, body: &[u8]) -> String {
        match self {
            Self::Crc32 => STANDARD.encode((crc(body, 0xEDB8_8320, 32) as u32).to_be_bytes()),
            Self::Crc32c => STANDARD.encode((crc(body, 0x82F6_3B78, 32) as u32).to_be_bytes()),
            Self::Crc64Nvme => STANDARD.encode(crc(body, 0x9A6C_9329_AC4B_C9B5, 64).to_be_bytes()),
            Self::Sha256 => STANDARD.encode(Sha256::digest(body)),
        }
    }
}

/// A reflected CRC with all bits set at the start and inverted at the end, over a table of the 256 bytes.
fn crc(body: &[u8], polynomial: u64, width: u32) -> u64 {
    let table: [u64; 256] = std::array::from_fn(|byte| {
        (0..8).fold(byte as u64, |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ polynomial
            } else {
                crc >> 1
            }
        })
    });
    let ones = u64::MAX >> (64 - width);
    let crc = body.iter().fold(ones, |crc, byte| {
        table[((crc ^ u64::from(*byte)) & 0xff) as usize] ^ (crc >> 8)
    });
    crc ^ ones
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // The published check values of these CRCs, over "123456789".
    #[rstest]
    #[case(Checksum::Crc32, &0xCBF4_3926u32.to_be_bytes())]
    #[case(Checksum::Crc32c, &0xE306_9283u32.to_be_bytes())]
    #[case(Checksum::Crc64Nvme, &0xAE8B_1486_0A79_9888u64.to_be_bytes())]
    fn a_crc_has_its_published_check_value(#[case] checksum: Checksum, #[case] expected: &[u8]) {
        assert_eq!(checksum.of(b"123456789"), STANDARD.encode(expected));
    }
}
