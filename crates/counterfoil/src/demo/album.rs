//! The demo's album: every slip of every story as a picture, on one page that needs no server.
//!
//! What is shown is what came out of the virtual printers, dot for dot.

use super::Ending;
use receipt::{Paper, PrintedSlip};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const STYLE: &str = include_str!("album.css");

/// The folder with the pictures and the page.
#[derive(Debug)]
pub(super) struct Album {
    folder: PathBuf,
    chapters: String,
}

impl Album {
    /// An empty album below `data`.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn open(data: &Path) -> Result<Self, String> {
        let folder = data.join("slips");
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self {
            folder,
            chapters: String::new(),
        })
    }

    /// Adds a story with its slips.
    ///
    /// # Errors
    /// A picture that cannot be written.
    pub fn add(&mut self, ending: &Ending, slips: &[PrintedSlip]) -> Result<(), String> {
        let (zh, en) = &ending.title;
        let _ = write!(
            self.chapters,
            "<section><h2>{} {}<small lang=\"en\">{}</small></h2>",
            ending.id,
            escaped(zh),
            escaped(en)
        );
        if let Some(sale) = &ending.sale {
            let (zh, en) = &sale.headline;
            let _ = write!(
                self.chapters,
                "<p>{}<small lang=\"en\">{}</small></p>",
                escaped(zh),
                escaped(en)
            );
        }
        if slips.is_empty() {
            self.chapters
                .push_str("<p class=\"none\">没有小票 <span lang=\"en\">no slip</span></p>");
        }
        self.chapters.push_str("<div class=\"slips\">");
        for (number, slip) in (1..).zip(slips) {
            let name = format!("{}-{number}.png", ending.id);
            self.write(&name, &slip.bitmap(Paper::Mm58).png())?;
            let _ = write!(
                self.chapters,
                "<img src=\"{name}\" width=\"384\" alt=\"{}\">",
                escaped(&slip.text)
            );
        }
        self.chapters.push_str("</div></section>");
        Ok(())
    }

    /// Writes the page; gives its path.
    ///
    /// # Errors
    /// A page that cannot be written.
    pub fn close(self) -> Result<PathBuf, String> {
        let page = format!(
            "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>存根 · 演示的小票</title><style>{STYLE}</style>\
             <h1>演示的小票<small lang=\"en\">The demo's slips</small></h1>{}",
            self.chapters
        );
        self.write("index.html", page.as_bytes())?;
        Ok(self.folder.join("index.html"))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let path = self.folder.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
        .replace('\n', "&#10;")
}
