//! Downloads: parameters, public keys and applications, one message at a time, whenever nothing else is to be done.
//!
//! Invariants: what is in use is always whole and of one version; every step is a record, so that a cut goes on where it
//! was; an item that does not check refuses the whole download, and the one in use stays.

use crate::command::show;
use crate::kernel::{AidParameters, ChipTerminal};
use crate::limits::DOWNLOAD_ATTEMPTS_MAX;
use crate::record::Record;
use crate::{Busy, Decided, Screen, State, Terminal};
use payment::download::{
    Application, Asked, Download, DownloadRequest, ITEMS_MAX, Item, ItemName, Parameters,
    PieceError, PublicKey, Step, TipRule, Versions, read_item, read_list,
};
use payment::terminal::{Answer, MacCheck, Origin, Request};
use payment::{Kind, Mono, Now, ResponseCode, Secrets};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What was downloaded, and what is being downloaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Downloads {
    /// Versions in use; 0 where the installation's own values are.
    versions: Versions,
    parameters: Option<Parameters>,
    public_keys: Vec<PublicKey>,
    applications: Vec<Application>,
    /// To be fetched, the first one now.
    wanted: BTreeSet<Download>,
    fetching: Option<Fetching>,
    /// The next message.
    next: Option<Mono>,
    /// Messages in vain since the last that brought something.
    attempts: u32,
    /// Times that the wanted ones began anew.
    restarts: u32,
    /// Refused or given up since the last sign-on: not tried again because an answer demands them.
    given_up: BTreeSet<Download>,
}

/// A download under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Fetching {
    download: Download,
    /// 0 where the acquirer does not say.
    version: u16,
    names: Vec<ItemName>,
    listed: bool,
    items: Vec<Item>,
}

impl Fetching {
    const fn of(download: Download, version: u16) -> Self {
        Self {
            download,
            version,
            names: Vec::new(),
            listed: false,
            items: Vec::new(),
        }
    }

    fn next(&self) -> (Step, Asked) {
        if self.download == Download::Parameters {
            return match self.items.is_empty() {
                true => (Step::Take, Asked::Whole),
                false => (Step::End, Asked::Whole),
            };
        }
        if !self.listed {
            return (Step::List, Asked::Behind(self.names.len() as u8));
        }
        match self.names.get(self.items.len()) {
            Some(name) => (Step::Take, Asked::Item(*name)),
            None => (Step::End, Asked::Whole),
        }
    }
}

/// Why a download is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownloadProblem {
    /// The acquirer refuses it.
    Refused(ResponseCode),
    /// Something in it is wrong: which item, which tag and what.
    Wrong(PieceError),
    /// The acquirer did not answer, or its list changed again and again.
    Unfinished,
}

impl Terminal {
    /// The cashier asks for one download, or for all that this terminal uses.
    pub(crate) fn order_download(
        &self,
        now: Now,
        download: Option<Download>,
        decided: &mut Decided,
    ) {
        if !self.state.signed_on() {
            return show(Screen::Busy(Busy::SignOnFirst), decided);
        }
        let asked = Download::ALL.into_iter().filter(|one| match download {
            Some(download) => download == *one,
            None => self.uses(*one),
        });
        self.want(now, asked.collect(), decided);
    }

    /// A download that this terminal would make use of.
    fn uses(&self, download: Download) -> bool {
        download == Download::Parameters || self.config.chip.is_some()
    }

    fn want(&self, now: Now, downloads: Vec<Download>, decided: &mut Decided) {
        for download in &downloads {
            show(Screen::Downloading(*download), decided);
        }
        if !downloads.is_empty() {
            let at = now.mono;
            decided.record(Record::DownloadsWanted { downloads, at });
        }
    }

    /// After a sign-on: what the acquirer offers in another version than the one in use, or demands without saying one.
    pub(crate) fn compare_versions(&self, now: Now, answer: &Answer, decided: &mut Decided) {
        let Some(offered) = answer.versions else {
            let demanded = answer.demands.filter(|download| self.uses(*download));
            return self.want(now, demanded.into_iter().collect(), decided);
        };
        let downloads = &self.state.downloads;
        let differs = |download: &Download| {
            let version = offered.get(*download);
            self.uses(*download) && version != 0 && version != downloads.versions.get(*download)
        };
        let wanted = Download::ALL.into_iter().filter(differs).collect();
        self.want(now, wanted, decided);
    }

    /// The header of an answer demands a download: it comes when nothing else is to be done.
    pub(crate) fn hear_demand(&self, now: Now, answer: &Answer, decided: &mut Decided) {
        let downloads = &self.state.downloads;
        let demanded = answer.demands.filter(|download| {
            self.uses(*download)
                && self.state.signed_on()
                && !downloads.wanted.contains(download)
                && !downloads.given_up.contains(download)
        });
        self.want(now, demanded.into_iter().collect(), decided);
    }

    /// When the next message of a download is due.
    pub(crate) fn download_at(&self) -> Option<Mono> {
        self.state.downloads.next
    }

    /// Sends the next message of the first download that is wanted.
    pub(crate) fn go_on_downloading(&self, now: Now, decided: &mut Decided) {
        let Some((download, (step, asked))) = self.state.downloads.step() else {
            return;
        };
        let Some(kind) = download.kind(step) else {
            return;
        };
        let request = Request::Download(DownloadRequest {
            kind,
            origin: Origin {
                stan: None,
                ..self.origin()
            },
            asked,
            mac: self.config.extended,
        });
        self.ask(now, request, Secrets::default(), decided);
    }

    /// An answer to a message of a download.
    pub(crate) fn downloaded(
        &self,
        now: Now,
        request: &DownloadRequest,
        answer: &Answer,
        mac: MacCheck,
        decided: &mut Decided,
    ) {
        let downloads = &self.state.downloads;
        let Some((download, step)) = request.step() else {
            return;
        };
        // Asked for anew meanwhile: what it answers is not the next step any more.
        if downloads.step() != Some((download, (step, request.asked))) {
            return;
        }
        if !self.is_heard(mac) || answer.code.asks_sign_on() {
            return self.download_unanswered(now, decided);
        }
        if answer.code != ResponseCode::APPROVED {
            let problem = DownloadProblem::Refused(answer.code);
            return self.give_up(now, download, problem, decided);
        }
        let version = answer.versions.map_or(0, |versions| versions.get(download));
        #[cfg(feature = "planted")]
        let version = match self.planted == Some(crate::planted::Bug::MixesVersions) {
            true => downloads.version().unwrap_or(version),
            false => version,
        };
        if downloads.version().is_some_and(|known| known != version) {
            // Its items may be of either version, so none of them is used.
            return self.again(now, true, decided);
        }
        let field62 = answer.piece.as_ref().map_or(&[][..], |piece| piece.bytes());
        match self.take(now, download, step, (version, request.asked), field62) {
            Ok(record) => {
                let ended = step == Step::End;
                decided.record(record);
                if ended {
                    let items = downloads.fetching.as_ref().map_or(0, |f| f.items.len());
                    show(
                        Screen::Downloaded {
                            download,
                            version,
                            items: items as u8,
                        },
                        decided,
                    );
                }
            }
            // It was in the list; the list is another one now.
            Err(PieceError::Nothing) if downloads.fetching.is_some() => {
                self.again(now, true, decided);
            }
            Err(error) => {
                self.give_up(now, download, DownloadProblem::Wrong(error), decided);
            }
        }
    }

    fn take(
        &self,
        now: Now,
        download: Download,
        step: Step,
        (version, asked): (u16, Asked),
        field62: &[u8],
    ) -> Result<Record, PieceError> {
        let at = now.mono;
        match step {
            Step::List => {
                let part = read_list(download, field62)?;
                let known = self.state.downloads.fetching.as_ref();
                let known = known.map_or(&[][..], |fetching| &fetching.names);
                let total = known.len() + part.names.len();
                // A list that says the same twice, or more than two digits count, has no end.
                if total > ITEMS_MAX || part.names.iter().any(|name| known.contains(name)) {
                    return Err(PieceError::Another);
                }
                Ok(Record::DownloadListed {
                    download,
                    version,
                    names: part.names,
                    more: part.more,
                    at,
                })
            }
            Step::Take => Ok(Record::DownloadTaken {
                download,
                version,
                item: Box::new(read_item(download, asked, field62)?),
                at,
            }),
            Step::End => Ok(Record::DownloadEnded { download, at }),
        }
    }

    /// Nobody answered, or nobody whose MAC is right.
    pub(crate) fn download_unanswered(&self, now: Now, decided: &mut Decided) {
        self.again(now, false, decided);
    }

    /// Later once more, from where it was or from the beginning; not without end.
    fn again(&self, now: Now, anew: bool, decided: &mut Decided) {
        let downloads = &self.state.downloads;
        let Some((download, _)) = downloads.step() else {
            return;
        };
        let count = if anew {
            downloads.restarts
        } else {
            downloads.attempts
        } + 1;
        if count > DOWNLOAD_ATTEMPTS_MAX {
            return self.give_up(now, download, DownloadProblem::Unfinished, decided);
        }
        let next = now.mono.plus_ms(self.config.gaps.after(count));
        decided.record(Record::DownloadAgain { next, anew });
    }

    fn give_up(
        &self,
        now: Now,
        download: Download,
        problem: DownloadProblem,
        decided: &mut Decided,
    ) {
        let at = now.mono;
        decided.record(Record::DownloadGivenUp { download, at });
        show(Screen::DownloadFailed { download, problem }, decided);
    }

    /// The terminal as chips see it: with the applications that were downloaded, or those of its installation.
    pub fn chip_terminal(&self) -> Option<ChipTerminal> {
        let reader = self.config.chip.as_ref()?;
        let downloaded = &self.state.downloads.applications;
        let mut terminal = reader.terminal.clone();
        if !downloaded.is_empty() {
            terminal.applications = downloaded.iter().map(AidParameters::from).collect();
        }
        Some(terminal)
    }

    /// Whether this terminal may start a transaction of this kind, by the parameters that it downloaded.
    pub fn offers(&self, kind: Kind) -> bool {
        self.state.downloads.parameters.is_none_or(|parameters| {
            let tips = kind != Kind::TipAdjustment || parameters.tips != TipRule::None;
            tips && parameters.offers(kind.row().switch)
        })
    }

    /// Further rounds of a settlement.
    pub(crate) fn batch_resends(&self) -> u32 {
        let parameters = self.state.downloads.parameters;
        parameters.map_or(self.config.batch_resends, |p| u32::from(p.resends))
    }
}

impl Downloads {
    /// Versions in use; 0 where the installation's own values are.
    pub fn versions(&self) -> Versions {
        self.versions
    }

    /// The parameters in use.
    pub fn parameters(&self) -> Option<Parameters> {
        self.parameters
    }

    /// The schemes' public keys. This terminal authenticates no card offline, so they are kept for those that do.
    pub fn public_keys(&self) -> &[PublicKey] {
        &self.public_keys
    }

    /// The applications in use; without any, those of the installation are.
    pub fn applications(&self) -> &[Application] {
        &self.applications
    }

    /// Still to be fetched.
    pub fn wanted(&self) -> impl Iterator<Item = Download> {
        self.wanted.iter().copied()
    }

    fn step(&self) -> Option<(Download, (Step, Asked))> {
        let download = *self.wanted.first()?;
        let fresh = Fetching::of(download, 0);
        let fetching = self.fetching.as_ref();
        let fetching = fetching.filter(|fetching| fetching.download == download);
        Some((download, fetching.unwrap_or(&fresh).next()))
    }

    /// The version of what was fetched so far.
    fn version(&self) -> Option<u16> {
        let download = self.wanted.first()?;
        let fetching = self.fetching.as_ref()?;
        (fetching.download == *download).then_some(fetching.version)
    }

    fn fetching(&mut self, download: Download, version: u16) -> &mut Fetching {
        let other = |fetching: &Fetching| fetching.download != download;
        if self.fetching.as_ref().is_none_or(other) {
            self.fetching = None;
        }
        self.fetching
            .get_or_insert_with(|| Fetching::of(download, version))
    }

    fn over(&mut self, download: Download, at: Mono) {
        self.wanted.remove(&download);
        self.fetching = None;
        (self.attempts, self.restarts) = (0, 0);
        self.next = (!self.wanted.is_empty()).then_some(at);
    }

    /// The new one takes the place of the old.
    fn install(&mut self, fetched: Fetching) {
        self.versions.set(fetched.download, fetched.version);
        match fetched.download {
            Download::Parameters => self.parameters = None,
            Download::PublicKeys => self.public_keys.clear(),
            Download::Applications => self.applications.clear(),
        }
        for item in fetched.items {
            match item {
                Item::Parameters(parameters) => self.parameters = Some(parameters),
                Item::Key(key) => self.public_keys.push(key),
                Item::Application(application) => self.applications.push(application),
            }
        }
    }
}

impl State {
    /// What was downloaded.
    pub fn downloads(&self) -> &Downloads {
        &self.downloads
    }

    pub(crate) fn apply_download(&mut self, record: &Record) {
        let downloads = &mut self.downloads;
        match record {
            Record::DownloadsWanted { downloads: new, at } => {
                for download in new {
                    downloads.given_up.remove(download);
                    downloads.wanted.insert(*download);
                }
                let anew = |fetching: &mut Fetching| new.contains(&fetching.download);
                downloads.fetching.take_if(anew);
                downloads.next = Some(*at);
                (downloads.attempts, downloads.restarts) = (0, 0);
            }
            Record::DownloadListed {
                download,
                version,
                names,
                more,
                at,
            } => {
                let fetching = downloads.fetching(*download, *version);
                fetching.names.extend_from_slice(names);
                fetching.listed = !more;
                (downloads.attempts, downloads.next) = (0, Some(*at));
            }
            Record::DownloadTaken {
                download,
                version,
                item,
                at,
            } => {
                let fetching = downloads.fetching(*download, *version);
                fetching.items.push((**item).clone());
                (downloads.attempts, downloads.next) = (0, Some(*at));
            }
            Record::DownloadEnded { download, at } => {
                let fetched = downloads.fetching.take();
                if let Some(fetched) = fetched.filter(|fetched| fetched.download == *download) {
                    downloads.install(fetched);
                }
                downloads.over(*download, *at);
            }
            Record::DownloadAgain { next, anew } => {
                downloads.next = Some(*next);
                if *anew {
                    downloads.fetching = None;
                    downloads.restarts += 1;
                } else {
                    downloads.attempts += 1;
                }
            }
            Record::DownloadGivenUp { download, at } => {
                downloads.given_up.insert(*download);
                downloads.over(*download, *at);
            }
            _ => {}
        }
    }

    /// A sign-on: what was given up is compared anew.
    pub(crate) fn try_downloads_again(&mut self) {
        self.downloads.given_up.clear();
    }
}
