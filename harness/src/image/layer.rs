//! The one layer of an image: a tar file that depends on nothing but what is in it.

use std::io;

use tar::{Builder, EntryType, Header};

use super::Contents;

/// The user database has the one user that an image needs: whoever has no capabilities to lose is root in a container, and
/// a program that may keep NET_ADMIN must be (another user loses it by being started).
const PASSWD: &str = "root:x:0:0:root:/:/\n";
const GROUP: &str = "root:x:0:\n";
/// What glibc's resolver reads; both are built into a static program.
const NSSWITCH: &str = "hosts: files dns\n";

/// The layer with a program in its root.
///
/// # Errors
/// Never of memory alone; of the tar format, a file of more than 8 GiB.
pub(super) fn layer(contents: Contents, program: &[u8]) -> io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::with_capacity(program.len() + (1 << 16)));
    folder(&mut tar, "etc/", 0o755)?;
    file(&mut tar, "etc/group", 0o644, GROUP.as_bytes())?;
    file(&mut tar, "etc/nsswitch.conf", 0o644, NSSWITCH.as_bytes())?;
    file(&mut tar, "etc/passwd", 0o644, PASSWD.as_bytes())?;
    file(&mut tar, contents.program(), 0o755, program)?;
    folder(&mut tar, "run/", 0o755)?;
    if contents == Contents::Tools {
        // An SDK starts its credential process by `sh -c`; the program is as much of a shell as that takes.
        let mut header = header(EntryType::Symlink, 0o777);
        header.set_size(0);
        tar.append_link(&mut header, "sh", contents.program())?;
    }
    folder(&mut tar, "tmp/", 0o1777)?;
    tar.into_inner()
}

/// Adds a file to a tar, as if it had been made by root when time began.
pub(super) fn file(tar: &mut Builder<Vec<u8>>, name: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let mut header = header(EntryType::Regular, mode);
    header.set_size(bytes.len() as u64);
    tar.append_data(&mut header, name, bytes)
}

/// Adds a folder to a tar.
pub(super) fn folder(tar: &mut Builder<Vec<u8>>, name: &str, mode: u32) -> io::Result<()> {
    let mut header = header(EntryType::Directory, mode);
    header.set_size(0);
    tar.append_data(&mut header, name, io::empty())
}

fn header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}
