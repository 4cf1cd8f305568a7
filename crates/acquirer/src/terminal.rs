//! What a terminal asks: sign-on, sale, inquiry. The refusal ladder stands here, in the order of its rungs.

use crate::original::moved_minor;
use crate::recall::Found;
use crate::record::Record;
use crate::sale::{FirstAnswer, Reply, SaleRecord};
use crate::scan::is_scanned;
use crate::{Acquirer, Decided, Effect};
use payment::evidence::Upstream;
use payment::terminal::{Answer, KeysField, MacCheck, Origin, Request, Sale, Sealed};
use payment::{Flow, HostKey, Kind, LinkId, Now, ResponseCode, Rrn, SaleKey, Stan, host};

/// A terminal's request as the edge heard it.
#[derive(Debug)]
pub(crate) struct Heard {
    pub reply: Reply,
    pub mac: MacCheck,
    pub sealed: Sealed,
    pub pin_refused: Option<ResponseCode>,
    pub keys: Option<Box<(crypto::WorkingKeys, KeysField)>>,
    pub link: Option<LinkId>,
}

/// A rung of the ladder.
type Rung = Result<(), ResponseCode>;

/// A refusal before anything leaves.
pub(crate) struct Refusal {
    pub code: ResponseCode,
    /// The unresolved sale that the refused one may repeat.
    pub earlier: Option<SaleKey>,
}

impl From<ResponseCode> for Refusal {
    fn from(code: ResponseCode) -> Self {
        Self {
            code,
            earlier: None,
        }
    }
}

impl Acquirer {
    pub(crate) fn request(&self, now: Now, heard: Heard, decided: &mut Decided) {
        let request = heard.sealed.request;
        if let Err(code) = self.admit(&request.origin()) {
            return refuse(heard.reply, &request, code, false, decided);
        }
        if self.needs_mac(&request) && !self.mac_is_right(heard.mac) {
            return refuse(
                heard.reply,
                &request,
                ResponseCode::MAC_ERROR,
                false,
                decided,
            );
        }
        self.hear_sign(now, &request, decided);
        match request {
            Request::Management {
                kind: Kind::SignOn,
                origin,
            } => self.sign_on(now, &heard, origin, decided),
            Request::Management { kind, origin } => {
                if kind == Kind::SignOff {
                    decided.record(Record::SignedOff {
                        terminal: origin.terminal,
                    });
                }
                refuse(
                    heard.reply,
                    &request,
                    ResponseCode::APPROVED,
                    false,
                    decided,
                );
            }
            Request::Financial { sale, .. } if sale.kind.row().processing.is_none() => {
                self.cash_link(now, &heard, sale, decided);
            }
            Request::Financial { sale, .. } => self.financial(now, heard, sale, decided),
            Request::Reversal { sale, reason, .. } => {
                self.terminal_reversal(now, heard.reply, &sale, reason, decided)
            }
            Request::Query { original, .. } => self.query(heard.reply, &request, original, decided),
            Request::IdleReport { .. } => {
                refuse(heard.reply, &request, ResponseCode::APPROVED, true, decided)
            }
            Request::Settle { totals, .. } => {
                self.settle(now, heard.reply, &request, totals, decided);
            }
            Request::Upload { part, .. } => {
                let uploaded = (&part, heard.sealed.secrets.uploaded.as_slice());
                let chip = heard.sealed.secrets.chip.as_ref();
                self.upload(now, heard.reply, &request, (uploaded, chip), decided);
            }
            Request::Download(_) => self.download(heard.reply, &request, decided),
        }
    }

    /// What carries field 64 is checked; a terminal that speaks our extension carries it with its batch and its downloads
    /// too.
    fn needs_mac(&self, request: &Request) -> bool {
        let terminal = request.origin().terminal;
        let extended = || {
            let setup = self.config.terminals.get(&terminal);
            setup.is_some_and(|setup| setup.extended)
        };
        let guarded = matches!(request.kind().row().flow, Flow::Batch | Flow::Download(..));
        request.carries_mac() || (guarded && extended())
    }

    fn mac_is_right(&self, mac: MacCheck) -> bool {
        #[cfg(feature = "planted")]
        if self.planted == Some(crate::planted::Bug::IgnoresMac) {
            return true;
        }
        mac == MacCheck::Right
    }

    /// Known terminal, of this merchant.
    fn admit(&self, origin: &Origin) -> Rung {
        let setup = self
            .config
            .terminals
            .get(&origin.terminal)
            .ok_or(ResponseCode::UNKNOWN_TERMINAL)?;
        if setup.merchant != origin.merchant {
            return Err(ResponseCode::INVALID_MERCHANT);
        }
        Ok(())
    }

    fn sign_on(&self, now: Now, heard: &Heard, origin: Origin, decided: &mut Decided) {
        let (Some(stan), Some(keys)) = (origin.stan, heard.keys.as_deref()) else {
            return refuse(
                heard.reply,
                &heard.sealed.request,
                ResponseCode::SECURITY_ERROR,
                false,
                decided,
            );
        };
        let session = self.state.session(&origin.terminal);
        let repeated = session.filter(|s| s.sign_on_stan == stan && s.keys.is_some());
        let (batch, field62) = match repeated {
            Some(session) => (session.batch, session.field62),
            None => {
                let batch = self.batch_of(session);
                decided.record(Record::SignedOn {
                    terminal: origin.terminal,
                    stan,
                    batch,
                    keys: keys.0,
                    field62: keys.1,
                });
                (batch, keys.1)
            }
        };
        let mut answer = Answer::to(&heard.sealed.request, ResponseCode::APPROVED);
        answer.origin.batch = batch;
        answer.local = Some((now.wall.time(), now.wall.date()));
        answer.acquirer = Some(self.config.institution);
        answer.keys = Some(field62);
        answer.versions = self.offered(&origin.terminal);
        decided.effect(Effect::Reply {
            reply: heard.reply,
            answer,
            mac: false,
            about: None,
        });
    }

    fn financial(&self, now: Now, heard: Heard, sale: Sale, decided: &mut Decided) {
        self.take_up(now, heard, sale, None, decided);
    }

    /// A financial request, with what the archive knows of its original once that was asked.
    pub(crate) fn take_up(
        &self,
        now: Now,
        heard: Heard,
        sale: Sale,
        found: Option<Found>,
        decided: &mut Decided,
    ) {
        if let Some(known) = self.known(&sale) {
            if !known.is_request(&sale) {
                return refuse(
                    heard.reply,
                    &heard.sealed.request,
                    ResponseCode::DUPLICATE,
                    true,
                    decided,
                );
            }
            return self.repeated(heard.reply, known, decided);
        }
        if let Err(code) = self.batch_is_current(&sale) {
            return refuse(heard.reply, &heard.sealed.request, code, true, decided);
        }
        if self.state.is_full() {
            return refuse(
                heard.reply,
                &heard.sealed.request,
                ResponseCode::SYSTEM_ERROR,
                true,
                decided,
            );
        }
        if let (None, Some(wanted)) = (found, self.wanted(&sale)) {
            return self.ask_archive(wanted, heard, decided);
        }
        let rrn = self.next_rrn(now);
        let recollection = self.recollection(&sale, found);
        let kept = recollection.map(|recalled| recalled.map(|recalled| recalled.kept()));
        match self.ladder(&sale, heard.pin_refused, kept.as_ref(), &decided.records) {
            // An advice is kept by its terminal until somebody can take it.
            Err(Refusal { code, .. }) if sale.kind.row().is_advice() && code.is_transient() => {
                refuse(heard.reply, &heard.sealed.request, code, true, decided);
            }
            Err(Refusal { code, earlier }) => {
                decided.record(Record::Refused {
                    sale,
                    rrn,
                    code,
                    at: now,
                    reply: heard.reply,
                });
                if let Some(earlier) = earlier {
                    decided.record(Record::Guarded {
                        key: sale.key,
                        earlier,
                    });
                }
                let extras = Extras {
                    link: None,
                    guard: self.told_guard(&sale, earlier),
                };
                let first = FirstAnswer::refusal(code, now);
                decided.effect(self.reply_to_sale(heard.reply, &sale, rrn, extras, &first));
            }
            Ok(original) if is_scanned(&sale) => {
                self.to_wallet(now, &heard, sale, original, rrn, decided);
            }
            Ok(original) => {
                if let Ok(Some(recalled)) = recollection {
                    decided.record(Record::Recalled(recalled));
                }
                self.forward(now, heard, sale, original, rrn, decided);
            }
        }
    }

    /// The sale under its whole key: terminal, merchant, batch and trace number (settled point 1).
    fn known(&self, sale: &Sale) -> Option<&SaleRecord> {
        #[cfg(feature = "planted")]
        if self.planted == Some(crate::planted::Bug::ForwardsDuplicates) {
            return None;
        }
        self.state.sale(&sale.key)
    }

    /// An advice may come after its batch is over, or under a number that was garbled in a sign-on: its terminal keeps it
    /// until it is answered, so it is taken.
    fn batch_is_current(&self, sale: &Sale) -> Rung {
        let session = self
            .state
            .session(&sale.key.terminal)
            .ok_or(ResponseCode::BATCH_MISMATCH)?;
        if session.batch != sale.key.batch {
            return match sale.kind.row().is_advice() {
                true => Ok(()),
                false => Err(ResponseCode::BATCH_MISMATCH),
            };
        }
        if session.closed {
            return Err(ResponseCode::BATCH_MISMATCH);
        }
        if session
            .forgotten
            .is_some_and(|highest| sale.key.stan <= highest)
        {
            return Err(ResponseCode::DUPLICATE);
        }
        Ok(())
    }

    /// The rungs; gives the earlier transaction that the sale is about.
    fn ladder<'a>(
        &'a self,
        sale: &Sale,
        pin_refused: Option<ResponseCode>,
        recalled: Result<&'a Option<SaleRecord>, &ResponseCode>,
        decided: &[Record],
    ) -> Result<Option<&'a SaleRecord>, Refusal> {
        self.not_reversed_before(sale)?;
        self.amount_is_served(sale)?;
        receiver_is_another(sale)?;
        let original = self.original(sale, recalled.map_err(|code| *code)?.as_ref(), decided)?;
        self.may_charge(sale)?;
        pin_refused.map_or(Ok(()), Err)?;
        match is_scanned(sale) {
            true => self.wallet_takes(sale, original)?,
            false => self.network_is_there()?,
        }
        Ok(original)
    }

    fn not_reversed_before(&self, sale: &Sale) -> Rung {
        #[cfg(feature = "planted")]
        if self.planted == Some(crate::planted::Bug::NoTombstone) {
            return Ok(());
        }
        if self.state.tombstones.contains(&sale.key) {
            Err(ResponseCode::RELATED_ERROR)
        } else {
            Ok(())
        }
    }

    fn amount_is_served(&self, sale: &Sale) -> Rung {
        if sale.amount.currency != sale.kind.row().unit {
            return Err(ResponseCode::CURRENCY_MISMATCH);
        }
        if !sale.kind.row().moves_money() {
            return Ok(());
        }
        let most = self
            .config
            .terminals
            .get(&sale.key.terminal)
            .map_or(0, |t| t.amount_minor_max);
        match sale.amount.minor {
            0 => Err(ResponseCode::INVALID_AMOUNT),
            minor if minor > most => Err(ResponseCode::AMOUNT_LIMIT),
            _ => Ok(()),
        }
    }

    fn network_is_there(&self) -> Rung {
        if !self.state.signed_on() {
            return Err(ResponseCode::ISSUER_UNAVAILABLE);
        }
        if self.state.relay.is_full() {
            Err(ResponseCode::SYSTEM_ERROR)
        } else {
            Ok(())
        }
    }

    fn forward(
        &self,
        now: Now,
        heard: Heard,
        sale: Sale,
        original: Option<&SaleRecord>,
        rrn: Rrn,
        decided: &mut Decided,
    ) {
        let host = self.next_host_key(now, decided);
        let deadline = now.mono.plus_ms(self.config.ladder.acquirer_ms);
        decided.record(Record::Forwarded {
            sale,
            rrn,
            host,
            at: now,
            reply: heard.reply,
            deadline,
            original: original.map(SaleRecord::key),
            moved_minor: moved_minor(&sale, original),
        });
        if let Some(link) = heard.link {
            decided.record(Record::Linked {
                key: sale.key,
                link,
            });
        }
        let about = original.and_then(|original| original.host);
        let request = host::Request::Financial(self.host_request(&sale, about, rrn, host, now));
        decided.effect(Effect::Forward(Box::new(host::Sealed {
            request,
            secrets: heard.sealed.secrets,
        })));
    }

    pub(crate) fn host_request(
        &self,
        sale: &Sale,
        original: Option<HostKey>,
        rrn: Rrn,
        key: HostKey,
        at: Now,
    ) -> host::Financial {
        let category = self
            .config
            .merchants
            .get(&sale.key.merchant)
            .map_or(0, |m| m.category);
        host::Financial {
            key,
            kind: sale.kind,
            amount: sale.amount,
            card: sale.card,
            entry: sale.entry.between_hosts(),
            expiry: sale.expiry,
            settlement: None,
            local: (at.wall.time(), at.wall.date()),
            category,
            rrn,
            terminal: sale.key.terminal,
            merchant: sale.key.merchant,
            original,
            to: sale.to,
        }
    }

    /// The same request again: the same answer, and no second effect (A1, A2).
    fn repeated(&self, reply: Reply, known: &SaleRecord, decided: &mut Decided) {
        decided.record(Record::Repeated {
            key: known.key(),
            reply,
        });
        let request = Request::Financial {
            sale: known.request,
            sign: None,
        };
        let answer = match (
            known.evidence.reversal,
            known.evidence.upstream,
            known.answer,
        ) {
            // After a reversal only refusals: the late request must never look approved.
            (Some(_), Upstream::Approved, _) => FirstAnswer {
                code: ResponseCode::RELATED_ERROR,
                approval: None,
                settlement: None,
                balance: None,
                chip: None,
                at: known.received.wall,
            },
            (Some(_), ..) => {
                return self.tell(
                    reply,
                    known,
                    &request,
                    ResponseCode::ISSUER_TIMEOUT,
                    decided,
                );
            }
            (None, _, Some(answer)) => answer,
            (None, _, None) => {
                if let Some(qr) = self.qr_of(known) {
                    self.tell_qr(reply, known, qr, decided);
                }
                return;
            }
        };
        decided.effect(self.answer_sale(reply, known, &answer));
    }

    /// The answer to a sale in memory, with everything the first one carried.
    pub(crate) fn answer_sale(
        &self,
        reply: Reply,
        sale: &SaleRecord,
        first: &FirstAnswer,
    ) -> Effect {
        let extras = Extras {
            link: self.link_of(sale),
            guard: self.told_guard(&sale.request, sale.guard),
        };
        self.reply_to_sale(reply, &sale.request, sale.rrn, extras, first)
    }

    /// The earlier sale as a terminal is told: one that speaks our extension.
    fn told_guard(&self, sale: &Sale, earlier: Option<SaleKey>) -> Option<SaleKey> {
        let setup = self.config.terminals.get(&sale.key.terminal);
        earlier.filter(|_| setup.is_some_and(|t| t.extended))
    }

    /// The link id that a terminal is told: one that speaks our extension.
    pub(crate) fn link_of(&self, sale: &SaleRecord) -> Option<LinkId> {
        let setup = self.config.terminals.get(&sale.key().terminal);
        sale.link.filter(|_| setup.is_some_and(|t| t.extended))
    }

    /// Answers `request`, which is about `sale`, with a code, the sale's reference and its link.
    pub(crate) fn tell(
        &self,
        reply: Reply,
        sale: &SaleRecord,
        request: &Request,
        code: ResponseCode,
        decided: &mut Decided,
    ) {
        let mut answer = Answer::to(request, code);
        (answer.rrn, answer.link) = (Some(sale.rrn), self.link_of(sale));
        decided.effect(Effect::Reply {
            reply,
            answer,
            mac: true,
            about: None,
        });
    }

    fn reply_to_sale(
        &self,
        reply: Reply,
        sale: &Sale,
        rrn: Rrn,
        extras: Extras,
        first: &FirstAnswer,
    ) -> Effect {
        let mut answer = Answer::to(
            &Request::Financial {
                sale: *sale,
                sign: None,
            },
            first.code,
        );
        self.fill(&mut answer, rrn, first);
        (answer.link, answer.guard) = (extras.link, extras.guard);
        Effect::Reply {
            reply,
            answer,
            mac: true,
            about: first.code.is_success().then_some(sale.key),
        }
    }

    /// Fields 12, 13, 15, 32, 37, 38 and 54.
    pub(crate) fn fill(&self, answer: &mut Answer, rrn: Rrn, first: &FirstAnswer) {
        answer.rrn = Some(rrn);
        answer.approval = first.approval;
        answer.local = Some((first.at.time(), first.at.date()));
        answer.settlement = first.settlement;
        answer.acquirer = Some(self.config.institution);
        answer.balance = first.balance;
        answer.chip = first.chip;
    }

    /// A key that no message has: behind those this decision has taken already, past those still in memory.
    pub(crate) fn next_host_key(&self, now: Now, decided: &Decided) -> HostKey {
        let taken = decided.records.iter().rev().find_map(Record::host_stan);
        let mut key = HostKey {
            transmission: now.wall.transmission(),
            stan: taken.unwrap_or(Stan(self.state.next_host_stan)).next(),
            acquirer: self.config.institution,
            forwarder: self.config.institution,
        };
        while self.state.by_host.contains_key(&key) {
            key.stan = key.stan.next();
        }
        key
    }

    /// Four digits of the day, then eight that run on: unique within a clearing day and far beyond.
    fn next_rrn(&self, now: Now) -> Rrn {
        let text = format!(
            "{:04}{:08}",
            now.wall.day() % 10_000,
            self.state.rrn_number()
        );
        Rrn(text.as_bytes()[..12].try_into().unwrap_or([b'0'; 12]))
    }
}

/// Nothing moves from a card to itself.
fn receiver_is_another(sale: &Sale) -> Rung {
    match sale.to.map(|to| to.token) == Some(sale.card.token) {
        true => Err(ResponseCode::INVALID_CARD),
        false => Ok(()),
    }
}

/// What our extension adds to the answer to a sale.
struct Extras {
    link: Option<LinkId>,
    guard: Option<SaleKey>,
}

/// Answers with a code and nothing else.
pub(crate) fn refuse(
    reply: Reply,
    request: &Request,
    code: ResponseCode,
    mac: bool,
    decided: &mut Decided,
) {
    decided.effect(Effect::Reply {
        reply,
        answer: Answer::to(request, code),
        mac,
        about: None,
    });
}
