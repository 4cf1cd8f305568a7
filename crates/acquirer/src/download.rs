//! What terminals download: it comes from the configuration alone, and what each terminal has taken is remembered.
//!
//! Invariant: an answer changes nothing; only the end of a download does, and a repeated end changes nothing more.

use crate::record::Record;
use crate::sale::Reply;
use crate::terminal::refuse;
use crate::{Acquirer, Decided, Effect, State};
use payment::download::{Download, DownloadRequest, Step, Versions};
use payment::terminal::{Answer, Request};
use payment::{ResponseCode, TerminalId};

impl Acquirer {
    /// 0800 and 0820 of a download.
    pub(crate) fn download(&self, reply: Reply, request: &Request, decided: &mut Decided) {
        let Request::Download(asked) = request else {
            return;
        };
        let Some((download, step)) = asked.step() else {
            return;
        };
        let terminal = asked.origin.terminal;
        let version = self.config.offer.versions.get(download);
        if version == 0 {
            let code = ResponseCode::NOT_SUPPORTED;
            return refuse(reply, request, code, asked.mac, decided);
        }
        if step == Step::End && self.state.has_taken(&terminal).get(download) != version {
            decided.record(Record::Downloaded {
                terminal,
                download,
                version,
            });
        }
        decided.effect(Effect::Reply {
            reply,
            answer: self.piece(asked, download, step),
            mac: asked.mac,
            about: None,
        });
    }

    fn piece(&self, asked: &DownloadRequest, download: Download, step: Step) -> Answer {
        let mut answer = Answer::to(&Request::Download(*asked), ResponseCode::APPROVED);
        answer.piece = self.config.offer.answer(download, step, asked.asked);
        answer.versions = self.offered(&asked.origin.terminal);
        answer
    }

    /// The versions as a terminal is told: one that speaks our extension, and only when something is offered.
    pub(crate) fn offered(&self, terminal: &TerminalId) -> Option<Versions> {
        let setup = self.config.terminals.get(terminal);
        let versions = self.config.offer.versions;
        setup
            .filter(|setup| setup.extended && versions != Versions::default())
            .map(|_| versions)
    }

    /// What the header of an answer demands: the first download that this terminal has not taken in its offered version.
    pub(crate) fn demanded(&self, terminal: &TerminalId) -> Option<Download> {
        self.config.terminals.get(terminal)?;
        let (offered, taken) = (self.config.offer.versions, self.state.has_taken(terminal));
        let due = |download: &Download| {
            let version = offered.get(*download);
            version != 0 && version != taken.get(*download)
        };
        Download::ALL.into_iter().find(due)
    }
}

impl State {
    /// What a terminal has taken.
    pub fn has_taken(&self, terminal: &TerminalId) -> Versions {
        self.session(terminal)
            .map_or(Versions::default(), |session| session.taken)
    }

    pub(crate) fn downloaded(&mut self, terminal: &TerminalId, download: Download, version: u16) {
        if let Some(session) = self.sessions.get_mut(terminal) {
            session.taken.set(download, version);
        }
    }
}
