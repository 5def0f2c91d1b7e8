//! Whether a file is a program that runs on an empty file system, and on which processor.

use oci_spec::image::Arch;

/// `PT_INTERP`: the program names a loader, which an empty file system has not.
const INTERPRETER: u32 = 3;

/// The processor that a static program is for.
///
/// # Errors
/// The file is no such program: why, and what to do.
pub(super) fn architecture(program: &[u8]) -> Result<Arch, &'static str> {
    const NOT_ELF: &str = "this is no 64-bit program for Linux";
    // e_ident: the magic number, 64 bits, little-endian.
    if !program.starts_with(b"\x7fELF\x02\x01") {
        return Err(NOT_ELF);
    }
    let architecture = match number(program, 18, 2).ok_or(NOT_ELF)? {
        62 => Arch::Amd64,
        183 => Arch::ARM64,
        _ => return Err("this program is for a processor that images are not made for: x86-64 and AArch64 are"),
    };
    let (start, size, count) = (
        number(program, 32, 8).ok_or(NOT_ELF)?,
        number(program, 54, 2).ok_or(NOT_ELF)?,
        number(program, 56, 2).ok_or(NOT_ELF)?,
    );
    for index in 0..count {
        let at = size
            .checked_mul(index)
            .and_then(|at| at.checked_add(start))
            .ok_or(NOT_ELF)?;
        let at = usize::try_from(at).map_err(|_| NOT_ELF)?;
        if number(program, at, 4).ok_or(NOT_ELF)? == u64::from(INTERPRETER) {
            return Err(
                "this program is linked dynamically, and an image has no libraries: build it with \
                        RUSTFLAGS='-C target-feature=+crt-static' and an explicit --target",
            );
        }
    }
    Ok(architecture)
}

/// A little-endian number of up to eight bytes.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use rstest::rstest;

    use super::*;

    /// The smallest file that passes for a program, with one program header of this type.
    pub(in crate::image) fn program(machine: u8, header: u8) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[18] = machine;
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes[64] = header;
        bytes
    }

    #[test]
    fn a_static_program_tells_its_processor() {
        assert_eq!(architecture(&program(62, 1)), Ok(Arch::Amd64));
        assert_eq!(architecture(&program(183, 1)), Ok(Arch::ARM64));
    }

    #[rstest]
    #[case::dynamic(program(62, 3), "dynamically")]
    #[case::another_processor(program(8, 1), "processor")]
    #[case::a_script(b"#!/bin/sh\n".to_vec(), "no 64-bit program")]
    #[case::cut_off(program(62, 1)[..60].to_vec(), "no 64-bit program")]
    #[case::nothing(Vec::new(), "no 64-bit program")]
    fn what_an_image_cannot_run_is_refused(#[case] bytes: Vec<u8>, #[case] says: &str) {
        let why = architecture(&bytes).expect_err("no static program");
        assert!(why.contains(says), "{why}");
    }
}
