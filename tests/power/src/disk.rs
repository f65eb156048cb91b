//! What a disk may hold after the power went out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::trace::Change;
use botyard_chance::Chance;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;
/// What the system hands to the disk at once, in bytes.
const PAGE: usize = 4096;

/// The files of one directory, as far as they are on the disk for good, and what
/// was done to them since.
#[derive(Debug, Default)]
pub struct Disk {
    seen: usize,
    files: Vec<File>,
    /// The names that programs see.
    names: BTreeMap<String, usize>,
    /// The names that are on the disk for good.
    kept: BTreeMap<String, usize>,
    /// What was done to names since, in order.
    renamed: Vec<(usize, String, Option<usize>)>,
}

#[derive(Debug, Default)]
struct File {
    kept: Vec<u8>,
    /// Not flushed, in order.
    since: Vec<(usize, Edit)>,
}

#[derive(Debug)]
enum Edit {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl Disk {
    /// A disk with one empty file of this name, which is there for good.
    pub fn with(name: &str) -> Self {
        let names = BTreeMap::from([(name.to_owned(), 0)]);
        Self { files: vec![File::default()], kept: names.clone(), names, ..Self::default() }
    }

    /// Goes on to a later point: so many of the changes have been made.
    pub fn advance(&mut self, changes: &[Change], point: usize) {
        for (index, change) in changes.iter().enumerate().take(point).skip(self.seen) {
            self.make(index, change);
        }
        self.seen = self.seen.max(point);
    }

    /// What the disk holds when the power goes out now, as chance has it.
    pub fn after_power_loss(&self, chance: &mut Chance) -> BTreeMap<String, Vec<u8>> {
        let mut names = self.kept.clone();
        let renamed = chance.pick(self.renamed.len() + 1);
        for (_, name, file) in &self.renamed[..renamed] {
            rename(&mut names, name, *file);
        }
        let mood = Mood::of(chance);
        names
            .into_iter()
            .map(|(name, file)| (name, self.files[file].after_power_loss(mood, chance)))
            .collect()
    }

    fn make(&mut self, index: usize, change: &Change) {
        match change {
            Change::Create(name) => {
                self.files.push(File::default());
                self.rename(index, name, Some(self.files.len() - 1));
            }
            Change::Delete { file, names } => {
                self.rename(index, file, None);
                if *names {
                    self.keep_names(index + 1);
                }
            }
            Change::Write { file, offset, bytes } => {
                let offset = usize::try_from(*offset).expect("files are small");
                self.edit(index, file, Edit::Write { offset, bytes: bytes.clone() });
            }
            Change::Truncate { file, size } => {
                let size = usize::try_from(*size).expect("files are small");
                self.edit(index, file, Edit::Truncate(size));
            }
            Change::Sync { file, began, names } => {
                let file = self.names[file];
                self.files[file].keep(*began);
                if *names {
                    self.keep_names(*began);
                }
            }
        }
    }

    fn edit(&mut self, index: usize, file: &str, edit: Edit) {
        let file = self.names[file];
        self.files[file].since.push((index, edit));
    }

    fn rename(&mut self, index: usize, name: &str, file: Option<usize>) {
        rename(&mut self.names, name, file);
        self.renamed.push((index, name.to_owned(), file));
    }

    fn keep_names(&mut self, before: usize) {
        let kept = self.renamed.partition_point(|(index, ..)| *index < before);
        for (_, name, file) in self.renamed.drain(..kept) {
            rename(&mut self.kept, &name, file);
        }
    }
}

/// Puts the files of an image into a directory.
pub fn write(image: &BTreeMap<String, Vec<u8>>, directory: &Path) -> std::io::Result<()> {
    image.iter().try_for_each(|(name, bytes)| fs::write(directory.join(name), bytes))
}

fn rename(names: &mut BTreeMap<String, usize>, name: &str, file: Option<usize>) {
    match file {
        Some(file) => names.insert(name.to_owned(), file),
        None => names.remove(name),
    };
}

/// How kind the disk is this time. Without moods, of many pages some would
/// always be there and some always missing.
#[derive(Clone, Copy)]
enum Mood {
    KeepsAll,
    KeepsNothing,
    ByPage,
    BySector,
}

impl Mood {
    fn of(chance: &mut Chance) -> Self {
        [Self::KeepsAll, Self::KeepsNothing, Self::ByPage, Self::BySector, Self::BySector]
            [chance.pick(5)]
    }

    /// Up to which of so many changes a page or sector got to the disk.
    fn reached(self, changes: usize, chance: &mut Chance) -> usize {
        match self {
            Self::KeepsAll => changes,
            Self::KeepsNothing => 0,
            Self::ByPage | Self::BySector => chance.pick(changes + 1),
        }
    }
}

impl File {
    fn keep(&mut self, before: usize) {
        let kept = self.since.partition_point(|(index, _)| *index < before);
        for (_, edit) in self.since.drain(..kept) {
            edit.apply(&mut self.kept);
        }
    }

    /// Each page is as it was after one of the changes since the last flush, or
    /// torn: then that is so for each of its sectors. The size is one of those
    /// that the file had meanwhile; what was never written in it is 0.
    fn after_power_loss(&self, mood: Mood, chance: &mut Chance) -> Vec<u8> {
        let mut size = self.kept.len();
        let mut longest = size;
        let sizes = mood.reached(self.since.len(), chance);
        for (n, (_, edit)) in self.since.iter().enumerate() {
            let now = edit.size_after(if n < sizes { size } else { longest });
            if n < sizes {
                size = now;
            }
            longest = longest.max(now);
        }
        let mut bytes = self.kept.clone();
        bytes.resize(longest, 0);
        for page in self.pages(longest) {
            let torn = matches!(mood, Mood::BySector) && chance.pick(3) == 0;
            let step = if torn { SECTOR } else { PAGE };
            for start in (page * PAGE..(page + 1) * PAGE).step_by(step) {
                let reached = mood.reached(self.since.len(), chance);
                for (_, edit) in &self.since[..reached] {
                    edit.apply_within(&mut bytes, start, start + step);
                }
            }
        }
        bytes.truncate(size);
        bytes
    }

    /// The pages that were changed since the last flush.
    fn pages(&self, longest: usize) -> Vec<usize> {
        let mut pages = Vec::new();
        for (_, edit) in &self.since {
            match edit {
                Edit::Write { offset, bytes } if !bytes.is_empty() => {
                    pages.extend(offset / PAGE..=(offset + bytes.len() - 1) / PAGE);
                }
                Edit::Write { .. } => {}
                Edit::Truncate(size) => pages.extend(size / PAGE..longest.div_ceil(PAGE)),
            }
        }
        pages.sort_unstable();
        pages.dedup();
        pages
    }
}

impl Edit {
    fn size_after(&self, size: usize) -> usize {
        match self {
            Self::Write { offset, bytes } => size.max(offset + bytes.len()),
            Self::Truncate(size) => *size,
        }
    }

    fn apply(&self, file: &mut Vec<u8>) {
        let size = self.size_after(file.len());
        file.resize(size, 0);
        self.apply_within(file, 0, size);
    }

    /// Changes what lies between two places of the file.
    fn apply_within(&self, file: &mut [u8], start: usize, end: usize) {
        let end = end.min(file.len());
        match self {
            Self::Write { offset, bytes } => {
                let (from, to) = (start.max(*offset), end.min(offset + bytes.len()));
                if from < to {
                    file[from..to].copy_from_slice(&bytes[from - offset..to - offset]);
                }
            }
            Self::Truncate(size) => {
                let from = start.max(*size);
                if from < end {
                    file[from..end].fill(0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(offset: u64, byte: u8, length: usize) -> Change {
        Change::Write { file: "f".to_owned(), offset, bytes: vec![byte; length] }
    }

    fn images(changes: &[Change]) -> Vec<BTreeMap<String, Vec<u8>>> {
        let mut disk = Disk::with("f");
        disk.advance(changes, changes.len());
        (0..500).map(|seed| disk.after_power_loss(&mut Chance::new(seed))).collect()
    }

    #[test]
    fn what_was_flushed_stays_and_the_rest_may_go() {
        let sync = Change::Sync { file: "f".to_owned(), began: 1, names: false };
        let changes = [write(0, 1, PAGE), sync, write(0, 2, PAGE), write(4096, 3, PAGE)];
        let all = images(&changes);
        let first = |image: &BTreeMap<String, Vec<u8>>| image["f"][..PAGE].to_vec();
        assert!(all.iter().all(|image| first(image).iter().all(|byte| [1, 2].contains(byte))));
        assert!(all.iter().any(|image| first(image) == vec![1; PAGE]), "missing");
        assert!(all.iter().any(|image| first(image) == vec![2; PAGE]), "there");
        let torn = |page: &[u8]| page.contains(&1) && page.contains(&2);
        assert!(all.iter().any(|image| torn(&first(image))), "torn");
        for image in &all {
            let whole = |sector: &[u8]| sector.iter().all(|byte| *byte == sector[0]);
            assert!(first(image).chunks(SECTOR).all(whole), "a sector is written whole");
        }
        // The second page may be there without the new bytes of the first.
        assert!(all.iter().any(|i| i["f"].len() > PAGE && i["f"][0] == 1 && i["f"][PAGE] == 3));
    }

    #[test]
    fn what_came_while_a_flush_ran_is_not_part_of_it() {
        let sync = Change::Sync { file: "f".to_owned(), began: 1, names: false };
        let all = images(&[write(0, 1, PAGE), write(0, 2, PAGE), sync]);
        assert!(all.iter().any(|image| image["f"] == vec![1; PAGE]));
    }

    #[test]
    fn a_new_name_needs_a_flush_of_its_directory() {
        let made = |names| {
            let file = "log".to_owned();
            let create = Change::Create(file.clone());
            let bytes = vec![7; 10];
            let write = Change::Write { file: file.clone(), offset: 0, bytes };
            images(&[create, write, Change::Sync { file, began: 2, names }])
        };
        assert!(made(false).iter().any(|image| !image.contains_key("log")));
        assert!(made(true).iter().all(|image| image["log"] == vec![7; 10]));
    }

    #[test]
    fn a_cut_or_deleted_file_may_come_back() {
        let file = "f".to_owned();
        let sync = Change::Sync { file: file.clone(), began: 1, names: false };
        let cut = Change::Truncate { file: file.clone(), size: 0 };
        let delete = Change::Delete { file, names: false };
        let all = images(&[write(0, 1, PAGE), sync, cut, delete]);
        assert!(all.iter().any(|image| !image.contains_key("f")));
        assert!(all.iter().any(|image| image.get("f").is_some_and(Vec::is_empty)));
        assert!(all.iter().any(|image| image.get("f").is_some_and(|f| *f == vec![1; PAGE])));
    }
}
