//! Which file systems cannot be trusted to tell of changes.
//!
//! inotify sees what this kernel does. On network and user-space file systems other machines write, and the
//! watch is accepted without an error and stays silent.

use std::path::Path;

/// `f_type` of file systems whose changes come from elsewhere, from `linux/magic.h` and the projects' sources.
#[cfg(target_os = "linux")]
const REMOTE: &[(u32, &str)] = &[
    (0x0000_6969, "NFS"),
    (0x0000_517B, "SMB"),
    (0xFE53_4D42, "SMB2"),
    (0xFF53_4D42, "CIFS"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9p"),
    (0x0BD0_0BD0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x00C3_6400, "Ceph"),
    (0x1983_0326, "BeeGFS"),
    (0x5346_414F, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0000_564C, "NCP"),
    (0x7461_636F, "OCFS2"),
    (0x0116_1970, "GFS2"),
    (0xAAD7_AAEA, "PanFS"),
    (0x2003_0528, "OrangeFS"),
    (0x786F_4256, "VirtualBox share"),
    (0x00C0_FFEE, "hostfs"),
];

/// The kind of file system under `path` if changes to it must be looked for.
#[cfg(target_os = "linux")]
pub fn remote_kind(path: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(path).ok()?.f_type;
    remote_name(kind as u32)
}

/// Elsewhere the notification service of the system is trusted; the heartbeat catches what it misses.
#[cfg(not(target_os = "linux"))]
pub fn remote_kind(_path: &Path) -> Option<&'static str> {
    None
}

/// Common file systems whose changes the kernel tells of, from `linux/magic.h`.
#[cfg(target_os = "linux")]
const LOCAL: &[(u32, &str)] = &[
    (0xEF53, "ext4"),
    (0x5846_5342, "xfs"),
    (0x9123_683E, "btrfs"),
    (0x2FC1_2FC1, "zfs"),
    (0xF2F5_2010, "f2fs"),
    (0x0102_1994, "tmpfs"),
    (0x794C_7630, "overlayfs"),
];

/// Name of the file system under `path`, if it is a known one, and whether changes to it must be looked for.
#[cfg(target_os = "linux")]
pub fn file_system(path: &Path) -> Option<(&'static str, bool)> {
    let kind = rustix::fs::statfs(path).ok()?.f_type as u32;
    let local = LOCAL.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| (*name, false));
    local.or_else(|| remote_name(kind).map(|name| (name, true)))
}

/// Elsewhere nothing is known of it.
#[cfg(not(target_os = "linux"))]
pub fn file_system(_path: &Path) -> Option<(&'static str, bool)> {
    None
}

#[cfg(target_os = "linux")]
fn remote_name(kind: u32) -> Option<&'static str> {
    REMOTE.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_looked_at_and_local_ones_trusted() {
        assert_eq!(remote_name(rustix::fs::NFS_SUPER_MAGIC as u32), Some("NFS"));
        assert_eq!(remote_name(0x6573_5546), Some("FUSE"));
        assert_eq!(remote_name(0xEF53), None, "ext4");
        assert_eq!(remote_name(0x0102_1994), None, "tmpfs");
    }
}
