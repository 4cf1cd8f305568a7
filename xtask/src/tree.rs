//! The text files of the repository, read once; what is built or fetched is never among them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Folders that are not the project's text.
const SKIPPED: &[&str] = &[
    ".git",
    ".venv",
    "__pycache__",
    "counterfoil-data",
    "node_modules",
    "target",
];

/// The longest file that is read, in bytes; longer ones are data.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Text files by their path from the root, with `/` between the parts.
#[derive(Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// The repository that this crate is part of.
    ///
    /// # Panics
    /// If a folder or a file cannot be read.
    #[must_use]
    pub fn of_repository() -> Self {
        let mut tree = Self::default();
        tree.read_folder(&root(), "");
        tree
    }

    /// A tree in memory, to show that a check can fail.
    #[must_use]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Self {
            files: files.collect(),
        }
    }

    /// All files in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// All Rust files, in the order of their paths.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// All Rust files under the `src` of a crate or of `xtask`.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rust().filter(|(path, _)| is_source(path))
    }

    /// The text of one file.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) {
        for entry in present(fs::read_dir(folder), folder).into_iter().flatten() {
            let Some(entry) = present(entry, folder) else {
                continue;
            };
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            let Some(metadata) = present(fs::symlink_metadata(&path), &path) else {
                continue;
            };
            if metadata.is_dir() && !SKIPPED.contains(&name.as_str()) {
                self.read_folder(&path, &format!("{prefix}{name}/"));
            } else if metadata.is_file() && metadata.len() <= FILE_BYTES_MAX {
                let bytes = present(fs::read(&path), &path).unwrap_or_default();
                if let Ok(text) = String::from_utf8(bytes) {
                    self.files.insert(format!("{prefix}{name}"), text);
                }
            }
        }
    }
}

/// What was read, or nothing if it went away meanwhile, as an editor's temporary file does.
fn present<T>(answer: io::Result<T>, path: &Path) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// The root of the repository.
///
/// # Panics
/// Never: this crate is in a folder of the root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is in the root")
        .to_owned()
}

/// Where cargo builds.
#[must_use]
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

fn is_source(path: &str) -> bool {
    matches!(
        path.split('/').collect::<Vec<_>>().as_slice(),
        ["crates", _, "src", ..] | ["xtask", "src", ..]
    )
}
