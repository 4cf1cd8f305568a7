//! The picture of the workspace: one row per crate, and what each may use. A crate uses only layers below its own, so
//! parties never see each other and there is no circle.

use std::fmt::Write;

/// One crate of the workspace.
#[derive(Debug)]
pub struct Row {
    /// Its name, which is also its folder under `crates/`.
    pub name: &'static str,
    /// Where it stands.
    pub layer: Layer,
    /// The crates of this workspace that it may use.
    pub internal: &'static [&'static str],
    /// The crates from outside that it may use.
    pub external: &'static [&'static str],
}

/// A layer of the picture, from the bottom up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Knows nothing of our business.
    Leaf,
    /// What all parties speak.
    Language,
    /// One party of a payment.
    Party,
    /// What people see of them.
    Page,
    /// Drives the parties.
    World,
    /// Developer commands.
    Tool,
}

impl Layer {
    const ALL: [Layer; 6] = [
        Self::Leaf,
        Self::Language,
        Self::Party,
        Self::Page,
        Self::World,
        Self::Tool,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Leaf => "leaves",
            Self::Language => "language",
            Self::Party => "parties",
            Self::Page => "pages",
            Self::World => "worlds",
            Self::Tool => "tools",
        }
    }
}

const ALL_BELOW_WORLDS: &[&str] = &[
    "iso8583", "ledger", "crypto", "receipt", "payment", "terminal", "acquirer", "network",
    "issuer",
];

/// The picture.
pub const CRATES: &[Row] = &[
    Row {
        name: "iso8583",
        layer: Layer::Leaf,
        internal: &[],
        external: &[],
    },
    Row {
        name: "ledger",
        layer: Layer::Leaf,
        internal: &[],
        external: &["serde"],
    },
    Row {
        name: "crypto",
        layer: Layer::Leaf,
        internal: &[],
        external: &[
            "aes",
            "aes-gcm",
            "argon2",
            "cipher",
            "cmac",
            "des",
            "ed25519-dalek",
            "hmac",
            "serde",
            "sha1",
            "sha2",
            "sm3",
            "sm4",
            "subtle",
            "zeroize",
        ],
    },
    Row {
        name: "receipt",
        layer: Layer::Leaf,
        internal: &[],
        external: &["encoding_rs", "png", "qrcode", "serde"],
    },
    Row {
        name: "payment",
        layer: Layer::Language,
        internal: &["iso8583", "crypto"],
        external: &["jiff", "serde", "zeroize"],
    },
    Row {
        name: "terminal",
        layer: Layer::Party,
        internal: &["payment", "crypto", "receipt", "iso8583"],
        external: &["serde"],
    },
    Row {
        name: "acquirer",
        layer: Layer::Party,
        internal: &["payment", "crypto", "ledger", "iso8583"],
        external: &["serde"],
    },
    Row {
        name: "network",
        layer: Layer::Party,
        internal: &["payment", "crypto", "iso8583"],
        external: &["serde"],
    },
    Row {
        name: "issuer",
        layer: Layer::Party,
        internal: &["payment", "crypto", "ledger", "iso8583"],
        external: &["serde"],
    },
    Row {
        name: "pages",
        layer: Layer::Page,
        internal: &["payment", "receipt"],
        external: &["maud", "serde", "utoipa"],
    },
    Row {
        name: "sim",
        layer: Layer::World,
        internal: ALL_BELOW_WORLDS,
        external: &["postcard", "serde"],
    },
    Row {
        name: "counterfoil",
        layer: Layer::World,
        internal: &[
            "iso8583", "ledger", "crypto", "receipt", "payment", "terminal", "acquirer", "network",
            "issuer", "sim", "pages",
        ],
        external: &[
            "argon2",
            "axum",
            "base64",
            "clap",
            "cryptoki",
            "futures-util",
            "getrandom",
            "hdrhistogram",
            "hmac",
            "opentelemetry-proto",
            "postcard",
            "prost",
            "rcgen",
            "rpassword",
            "rusqlite",
            "rustls",
            "rustls-webpki",
            "serde",
            "serde_json",
            "sha2",
            "socket2",
            "tokio",
            "tokio-rustls",
            "tokio-serial",
            "toml",
            "totp-rs",
            "tracing",
            "tracing-subscriber",
            "ureq",
            "utoipa",
            "zeroize",
        ],
    },
    Row {
        name: "xtask",
        layer: Layer::Tool,
        internal: &[],
        external: &["rustix", "toml"],
    },
];

/// What tests of any crate may use from outside, besides what the crate itself may.
pub const EXTERNAL_IN_TESTS: &[&str] = &[
    "expect-test",
    "fantoccini",
    "http",
    "hyper-util",
    "postcard",
    "proptest",
    "rquickjs",
    "resvg",
    "rqrr",
    "serde_json",
    "tempfile",
    "url",
];

/// Crates that must behave the same on every run: their folder carries the bans of `xtask/pure-clippy.toml`.
pub const PURE: &[&str] = &[
    "acquirer", "crypto", "iso8583", "issuer", "ledger", "network", "pages", "payment", "receipt",
    "sim", "terminal",
];

/// The picture and its table, as they stand in `ARCHITECTURE.md`.
///
/// # Panics
/// Never: writing to a string cannot fail.
#[must_use]
pub fn table() -> String {
    let mut text = picture();
    text += "\n| crate | may use | from outside |\n|---|---|---|\n";
    for row in CRATES {
        writeln!(
            text,
            "| `{}` | {} | {} |",
            row.name,
            listed(row.internal),
            listed(row.external)
        )
        .expect("a string");
    }
    text
}

/// The layers from the top down: a crate uses only crates below its own line.
fn picture() -> String {
    let mut text = String::from("```picture\n");
    for layer in Layer::ALL.into_iter().rev() {
        let names = CRATES
            .iter()
            .filter(|row| row.layer == layer)
            .map(|row| format!("{:<13}", row.name));
        let line = format!("{:<10}{}", layer.name(), names.collect::<String>());
        text += line.trim_end();
        text += if layer == Layer::Leaf {
            "\n"
        } else {
            "\n              │\n              ▼\n"
        };
    }
    text + "```\n"
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => "–".to_owned(),
        _ => names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer_of(name: &str) -> Layer {
        CRATES
            .iter()
            .find(|row| row.name == name)
            .unwrap_or_else(|| panic!("no row for {name}"))
            .layer
    }

    #[test]
    fn a_crate_uses_only_layers_below_its_own() {
        for row in CRATES {
            for used in row.internal {
                // The program also offers the simulator: the one use between two crates of a layer.
                let offered = (row.name, *used) == ("counterfoil", "sim");
                assert!(
                    layer_of(used) < row.layer || offered,
                    "{} may not use {used}",
                    row.name
                );
            }
        }
    }

    #[test]
    fn the_table_shows_every_crate() {
        let table = table();
        for row in CRATES {
            assert!(
                table.contains(&format!("| `{}` |", row.name)),
                "{}",
                row.name
            );
        }
        assert!(table.contains("| `network` | `payment`, `crypto`, `iso8583` | `serde` |\n"));
        assert!(PURE.iter().all(|name| layer_of(name) <= Layer::World));
    }
}
