use wasmtime::component::{ComponentType, Lift, Lower, flags};

use crate::tmp::{Fault, Inode, Is, NewTime, Node, Set};

const SECOND: u64 = 1_000_000_000;

#[derive(ComponentType, Lower, Clone, Copy)]
#[allow(dead_code, reason = "the type has them")]
#[component(enum)]
#[repr(u8)]
pub enum DescriptorType {
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "block-device")]
    BlockDevice,
    #[component(name = "character-device")]
    CharacterDevice,
    #[component(name = "directory")]
    Directory,
    #[component(name = "fifo")]
    Fifo,
    #[component(name = "symbolic-link")]
    SymbolicLink,
    #[component(name = "regular-file")]
    RegularFile,
    #[component(name = "socket")]
    Socket,
}

flags! {
    DescriptorFlags {
        #[component(name = "read")]
        const READ;
        #[component(name = "write")]
        const WRITE;
        #[component(name = "file-integrity-sync")]
        const FILE_INTEGRITY_SYNC;
        #[component(name = "data-integrity-sync")]
        const DATA_INTEGRITY_SYNC;
        #[component(name = "requested-write-sync")]
        const REQUESTED_WRITE_SYNC;
        #[component(name = "mutate-directory")]
        const MUTATE_DIRECTORY;
    }
}

flags! {
    OpenFlags {
        #[component(name = "create")]
        const CREATE;
        #[component(name = "directory")]
        const DIRECTORY;
        #[component(name = "exclusive")]
        const EXCLUSIVE;
        #[component(name = "truncate")]
        const TRUNCATE;
    }
}

flags! {
    PathFlags {
        #[component(name = "symlink-follow")]
        const SYMLINK_FOLLOW;
    }
}

#[derive(ComponentType, Lift, Clone, Copy)]
#[allow(dead_code, reason = "only guests make them")]
#[component(enum)]
#[repr(u8)]
pub enum Advice {
    #[component(name = "normal")]
    Normal,
    #[component(name = "sequential")]
    Sequential,
    #[component(name = "random")]
    Random,
    #[component(name = "will-need")]
    WillNeed,
    #[component(name = "dont-need")]
    DontNeed,
    #[component(name = "no-reuse")]
    NoReuse,
}

#[derive(ComponentType, Lift, Lower, Clone, Copy)]
#[component(record)]
pub struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub enum NewTimestamp {
    #[component(name = "no-change")]
    NoChange,
    #[component(name = "now")]
    Now,
    #[component(name = "timestamp")]
    Timestamp(Datetime),
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct DescriptorStat {
    #[component(name = "type")]
    kind: DescriptorType,
    #[component(name = "link-count")]
    link_count: u64,
    size: u64,
    #[component(name = "data-access-timestamp")]
    accessed: Option<Datetime>,
    #[component(name = "data-modification-timestamp")]
    modified: Option<Datetime>,
    #[component(name = "status-change-timestamp")]
    changed: Option<Datetime>,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct MetadataHash {
    lower: u64,
    upper: u64,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct DirectoryEntry {
    #[component(name = "type")]
    pub kind: DescriptorType,
    pub name: String,
}

impl DescriptorType {
    pub fn of(is: &Is) -> Self {
        match is {
            Is::Directory(_) => DescriptorType::Directory,
            Is::File(_) => DescriptorType::RegularFile,
            Is::Link(_) => DescriptorType::SymbolicLink,
        }
    }
}

impl DescriptorFlags {
    /// What is kept of those with which something is opened, beside reading and writing.
    pub fn kept(self) -> u8 {
        let sync = [
            DescriptorFlags::FILE_INTEGRITY_SYNC,
            DescriptorFlags::DATA_INTEGRITY_SYNC,
            DescriptorFlags::REQUESTED_WRITE_SYNC,
        ];
        (0u8..)
            .zip(sync)
            .map(|(bit, flag)| u8::from(self.contains(flag)) << bit)
            .sum()
    }

    pub fn of(read: bool, write: bool, kept: u8) -> Self {
        let sync = [
            (read, DescriptorFlags::READ),
            (write, DescriptorFlags::WRITE),
            (kept & 1 != 0, DescriptorFlags::FILE_INTEGRITY_SYNC),
            (kept & 2 != 0, DescriptorFlags::DATA_INTEGRITY_SYNC),
            (kept & 4 != 0, DescriptorFlags::REQUESTED_WRITE_SYNC),
        ];
        let set = sync.into_iter().filter(|(set, _)| *set);
        set.fold(DescriptorFlags::empty(), |all, (_, flag)| all | flag)
    }
}

impl Datetime {
    fn of(time: u64) -> Self {
        Datetime {
            seconds: time / SECOND,
            nanoseconds: (time % SECOND) as u32,
        }
    }
}

impl NewTimestamp {
    pub fn read(&self) -> Result<NewTime, Fault> {
        let Datetime {
            seconds,
            nanoseconds,
        } = match self {
            NewTimestamp::NoChange => return Ok(None),
            NewTimestamp::Now => return Ok(Some(Set::Now)),
            NewTimestamp::Timestamp(time) => *time,
        };
        let nanoseconds = u64::from(nanoseconds);
        let whole = seconds
            .checked_mul(SECOND)
            .and_then(|whole| whole.checked_add(nanoseconds));
        let whole = whole.filter(|_| nanoseconds < SECOND);
        Ok(Some(Set::To(whole.ok_or(Fault::Invalid)?)))
    }
}

impl DescriptorStat {
    pub fn of(node: &Node) -> Self {
        DescriptorStat {
            kind: DescriptorType::of(&node.is),
            link_count: node.links.into(),
            size: node.size() as u64,
            accessed: Some(Datetime::of(node.accessed)),
            modified: Some(Datetime::of(node.modified)),
            changed: Some(Datetime::of(node.changed)),
        }
    }
}

impl MetadataHash {
    /// Two nodes of one attempt never share it.
    pub fn of(inode: Inode) -> Self {
        MetadataHash {
            lower: inode,
            upper: 0,
        }
    }
}
