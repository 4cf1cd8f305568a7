//! A folder that gets every piece of paper as a picture, a drawing and a text.
//!
//! A file is there whole or not at all, and none is ever overwritten.

use receipt::{Paper, PrintedSlip};
use std::fs;
use std::path::{Path, PathBuf};

/// The folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    next: usize,
}

impl Folder {
    /// Makes it if it is missing; numbers go on after those that stand in it.
    ///
    /// # Errors
    /// What could not be made or read.
    pub fn open(path: &Path) -> Result<Self, String> {
        let problem = |error: std::io::Error| format!("--folder {}: {error}", path.display());
        fs::create_dir_all(path).map_err(problem)?;
        let highest = fs::read_dir(path)
            .map_err(problem)?
            .flatten()
            .filter_map(|entry| entry.path().file_stem()?.to_str()?.parse::<usize>().ok())
            .max();
        Ok(Self {
            path: path.to_owned(),
            next: highest.unwrap_or(0) + 1,
        })
    }

    /// Writes `0001.png`, `0001.svg` and `0001.txt`; returns the number.
    ///
    /// # Errors
    /// What could not be written.
    pub fn keep(&mut self, slip: &PrintedSlip, paper: Paper) -> Result<usize, String> {
        let picture = slip.bitmap(paper);
        let number = self.next;
        self.next += 1;
        self.write(number, "png", &picture.png())?;
        self.write(number, "svg", picture.svg(&slip.text).as_bytes())?;
        self.write(number, "txt", slip.text.as_bytes())?;
        Ok(number)
    }

    fn write(&self, number: usize, kind: &str, bytes: &[u8]) -> Result<(), String> {
        let path = self.path.join(format!("{number:04}.{kind}"));
        let half = self.path.join(format!(".{number:04}.{kind}.part"));
        fs::write(&half, bytes)
            .and_then(|()| fs::rename(&half, &path))
            .map_err(|error| format!("{}: {error}", path.display()))
    }
}
