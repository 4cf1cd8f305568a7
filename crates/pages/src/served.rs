//! The files that pages ask for, compiled in: one stylesheet, small scripts, the seal. Nothing is fetched from elsewhere.

/// A file below `/static/`.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// Its name.
    pub name: &'static str,
    /// Its content type.
    pub kind: &'static str,
    /// Its bytes.
    pub bytes: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Every file.
pub const FILES: &[Served] = &[
    Served {
        name: "counterfoil.css",
        kind: CSS,
        bytes: include_str!("served/counterfoil.css"),
    },
    Served {
        name: "live.js",
        kind: SCRIPT,
        bytes: include_str!("served/live.js"),
    },
    Served {
        name: "till.js",
        kind: SCRIPT,
        bytes: include_str!("served/till.js"),
    },
    Served {
        name: "copy.js",
        kind: SCRIPT,
        bytes: include_str!("served/copy.js"),
    },
    Served {
        name: "seal.svg",
        kind: SVG,
        bytes: include_str!("served/seal.svg"),
    },
];

/// The file of this name.
pub fn find(name: &str) -> Option<&'static Served> {
    FILES.iter().find(|file| file.name == name)
}
