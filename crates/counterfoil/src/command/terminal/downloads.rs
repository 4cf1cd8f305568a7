//! Downloads at the till: asked for, shown, and why one was not taken.

use super::{Failure, Till};
use payment::Amount;
use payment::download::{Download, PieceError};
use payment::response::Audience;
use terminal::{Command, DownloadProblem};

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
            .handle
            .look(|fleet, _| Some(fleet.terminal(0)?.state().downloads().clone()));
        let Some(kept) = look.await.map_err(|refused| format!("{refused:?}"))? else {
            return Ok(());
        };
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

/// Why a download was not taken.
pub(super) fn problem_words(problem: &DownloadProblem, zh: bool) -> String {
    let say = |chinese: &'static str, english: &'static str| if zh { chinese } else { english };
    match problem {
        DownloadProblem::Refused(code) => format!(
            "{} {}",
            say("下载被拒绝：", "refused:"),
            code.words(Audience::Cashier, zh)
        ),
        DownloadProblem::Wrong(PieceError::Nothing) => {
            say("主机没有可下载的内容", "the host has nothing to download").to_owned()
        }
        DownloadProblem::Wrong(error) => format!(
            "{} {error}",
            say(
                "内容有误，未采用，仍用原来的：",
                "wrong, not taken, what was there stays:"
            )
        ),
        DownloadProblem::Unfinished => say(
            "下载未完成，下次签到后再下载",
            "not finished; again after the next sign-on",
        )
        .to_owned(),
    }
}
