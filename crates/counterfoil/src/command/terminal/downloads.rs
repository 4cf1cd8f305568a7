//! Downloads at the till: asked for and shown.

use super::{Failure, Till};
use payment::Amount;
use payment::download::Download;
use terminal::Command;

impl Till {
    /// `download`, `download parameters|keys|applications`.
    pub(super) fn download(&self, words: &[&str]) -> Result<(), Failure> {
        let download = match words {
            [] => None,
            ["parameters"] => Some(Download::Parameters),
            ["keys"] => Some(Download::PublicKeys),
            ["applications"] => Some(Download::Applications),
            _ => return Err("download [parameters|keys|applications]?".to_owned()),
        };
        self.press(Command::Download(download))
    }

    /// `downloads`: what was downloaded, with versions.
    pub(super) async fn downloads(&self) -> Result<(), Failure> {
        let look = self
            .counter
            .look(|terminal, _| terminal.state().downloads().clone());
        let kept = look.await.map_err(|refusal| refusal.say(self.zh))?;
        for download in Download::ALL {
            let version = match kept.versions().get(download) {
                0 => self.say(("没有下载过", "never downloaded")).to_owned(),
                version => format!("{} {version}", self.say(("版本", "version"))),
            };
            println!("{} · {version}", self.say(download.words()));
            match download {
                Download::Parameters => {
                    if let Some(parameters) = kept.parameters() {
                        println!("  {parameters:?}");
                    }
                }
                Download::PublicKeys => {
                    for key in kept.public_keys() {
                        let bits = key.modulus.len() * 8;
                        println!("  {} RSA {bits} · {}", key.name, key.expiry);
                    }
                }
                Download::Applications => {
                    for one in kept.applications() {
                        println!(
                            "  {} · {} {} · {} {} · {} {}",
                            one.aid,
                            self.say(("最低限额", "floor limit")),
                            Amount::fen(one.floor_limit_minor),
                            self.say(("挥卡限额", "tap limit")),
                            Amount::fen(one.contactless_limit_minor),
                            self.say(("免密限额", "no PIN up to")),
                            Amount::fen(one.contactless_free_minor),
                        );
                    }
                }
            }
        }
        Ok(())
    }
}
