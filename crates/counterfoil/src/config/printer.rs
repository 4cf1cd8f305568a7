//! The file that `counterfoil accept` writes: which printer it met, and how far its word can be trusted.
//!
//! A printer without such a file is never believed about paper.

use super::Problem;
use receipt::acceptance::{Device, Proof};
use receipt::{InstalledPrinter, Means};
use serde::{Deserialize, Serialize};

/// Millimetres of paper a second that no receipt printer exceeds.
const SPEED_MAX: u32 = 1_000;

/// What is to be known about the words of the file.
const HEAD: &str = "\
# Result of the installation test, `counterfoil accept`. A terminal's printer_installed names this file.
# proof: completed (its word is paper), parsed (it took the data, no more), none (it reports nothing).
# chinese, qr: native (the printer draws), or raster (sent as dots) where the paper shows them garbled.
";

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrinterFile {
    /// Its only table.
    pub printer: TestedPrinter,
}

/// One printer, as the installation test found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestedPrinter {
    /// What its process IDs are worth.
    #[serde(with = "ProofWord")]
    pub proof: Proof,
    /// As it names itself; empty where it does not answer.
    pub maker: String,
    /// As it names itself.
    pub model: String,
    /// As it names itself.
    pub firmware: String,
    /// As it names itself.
    pub serial: String,
    /// Millimetres of paper a second, 1 to 1000.
    pub speed_mm_per_s: u32,
    /// Who draws Chinese.
    #[serde(with = "MeansWord")]
    pub chinese: Means,
    /// Who draws QR codes.
    #[serde(with = "MeansWord")]
    pub qr: Means,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Proof", rename_all = "lowercase")]
enum ProofWord {
    None,
    Parsed,
    Completed,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Means", rename_all = "lowercase")]
enum MeansWord {
    Native,
    Raster,
}

/// A printer that was not tested: its word is never proof of paper (receipts reference §3.4).
pub fn untested() -> InstalledPrinter {
    InstalledPrinter {
        proof: Proof::Parsed,
        ..InstalledPrinter::default()
    }
}

impl PrinterFile {
    /// The result for this device; what was not measured is as for an untested printer.
    pub fn new(device: &Device, proof: Proof, speed_mm_per_s: Option<u32>) -> Self {
        let untested = untested();
        let device = device.clone();
        Self {
            printer: TestedPrinter {
                proof,
                maker: device.maker,
                model: device.model,
                firmware: device.firmware,
                serial: device.serial,
                speed_mm_per_s: speed_mm_per_s
                    .map_or(untested.speed_mm_per_s, |speed| speed.clamp(1, SPEED_MAX)),
                chinese: untested.chinese,
                qr: untested.qr,
            },
        }
    }

    /// As a spool wants it.
    ///
    /// # Errors
    /// A speed that no printer has.
    pub fn resolve(&self) -> Result<InstalledPrinter, Problem> {
        let printer = &self.printer;
        let speed_mm_per_s = printer.speed_mm_per_s;
        if !(1..=SPEED_MAX).contains(&speed_mm_per_s) {
            return Err(format!(
                "speed_mm_per_s = {speed_mm_per_s} is not 1 to {SPEED_MAX}"
            ));
        }
        Ok(InstalledPrinter {
            speed_mm_per_s,
            line_bytes_per_s: None,
            proof: printer.proof,
            chinese: printer.chinese,
            qr: printer.qr,
        })
    }

    /// The file's text.
    ///
    /// # Errors
    /// None that its values can cause.
    pub fn text(&self) -> Result<String, Problem> {
        let table = toml::to_string(self).map_err(|error| error.to_string())?;
        Ok(format!("{HEAD}{table}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> PrinterFile {
        let device = Device {
            maker: "A\"B\\".to_owned(),
            ..Device::default()
        };
        PrinterFile::new(&device, Proof::Completed, Some(196))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = file().text().unwrap();
        assert!(
            text.contains("\n[printer]\nproof = \"completed\"\n"),
            "{text}"
        );
        let read: PrinterFile = crate::config::parse(&text).unwrap();
        assert_eq!(read, file());
        let installed = read.resolve().unwrap();
        assert_eq!(
            (installed.proof, installed.speed_mm_per_s),
            (Proof::Completed, 196)
        );
    }

    #[test]
    fn bad_values_are_refused_with_what_is_accepted() {
        let rows = [
            (
                "proof = \"completed\"",
                "proof = \"yes\"",
                "`none`, `parsed`, `completed`",
            ),
            (
                "chinese = \"native\"",
                "chinese = \"\"",
                "`native` or `raster`",
            ),
            ("qr = \"native\"", "qr = 1", "qr"),
            ("speed_mm_per_s = 196", "speed_mm_per_s = 0", "1 to 1000"),
            ("speed_mm_per_s = 196", "speed_mm_per_s = 1001", "1 to 1000"),
            ("speed_mm_per_s = 196", "speed_mm_per_s = -1", "u32"),
            ("serial = \"\"", "serials = \"\"", "expected"),
        ];
        let text = file().text().unwrap();
        for (good, bad, accepted) in rows {
            assert!(text.contains(good), "{good} in {text}");
            let read = crate::config::parse::<PrinterFile>(&text.replace(good, bad));
            let problem = read.and_then(|file| file.resolve()).unwrap_err();
            for said in [bad.split(' ').next().unwrap(), accepted] {
                assert!(problem.contains(said), "{said} in {problem}");
            }
        }
    }
}
